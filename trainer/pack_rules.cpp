#include "trainer/pack_rules.h"

#include <algorithm>
#include <string>

#include "trainer/config_error.h"
#include "trainer/run_identity.h"

namespace scalelaw {

void check_can_share_pack(const std::vector<RunConfig>& configs) {
  if (configs.empty()) throw ConfigError("no configuration given");
  const auto differs = [](const std::string& key) {
    throw ConfigError("these configurations cannot share a pack: " + key +
                      " differs; train them in separate commands");
  };
  const RunConfig& first = configs.front();
  for (const RunConfig& other : configs) {
    if (!(canonical(other.model) == canonical(first.model))) differs("model");
    if (other.data.train != first.data.train) differs("data.train");
    if (test_tokens(other) != test_tokens(first)) differs("data.test");
    if (other.train.batch_tokens != first.train.batch_tokens) differs("train.batch_tokens");
    if (other.train.precision != first.train.precision) differs("train.precision");
    if (other.train.optimizer.kind != first.train.optimizer.kind) differs("train.optimizer.kind");
    if (other.evaluate.points_per_decade != first.evaluate.points_per_decade ||
        other.evaluate.tokens != first.evaluate.tokens) {
      differs("evaluate");
    }
    if (other.how.micro_batch_tokens != first.how.micro_batch_tokens) {
      differs("how.micro_batch_tokens");
    }
    if (other.how.step != first.how.step) differs("how.step");
    if (other.how.recompute != first.how.recompute) differs("how.recompute");
  }
}

void check_can_share_batches(const std::vector<RunConfig>& configs, int ranks) {
  if (ranks == 1) return;
  if (configs.size() > 1) {
    throw ConfigError("a pack of " + std::to_string(configs.size()) +
                      " runs fills one device: " + std::to_string(ranks) +
                      " processes share the batches of one configuration only; give one, or leave "
                      "--processes (--group) out");
  }
  const RunConfig& config = configs.front();
  const int64_t windows = config.train.batch_tokens / config.model.n_ctx;
  if (windows % ranks != 0) {
    std::string can;
    for (int64_t n = 1; n <= std::min<int64_t>(windows, 64); ++n) {
      if (windows % n == 0) can += (can.empty() ? "" : ", ") + std::to_string(n);
    }
    throw KeyError("train.batch_tokens", std::to_string(config.train.batch_tokens),
                   std::to_string(ranks) + " processes cannot share " + std::to_string(windows) +
                       " windows of model.n_ctx = " + std::to_string(config.model.n_ctx) +
                       " tokens evenly; these numbers of processes can: " + can);
  }
  const int64_t micro = config.how.micro_batch_tokens / config.model.n_ctx;
  if (micro > 0 && micro < windows / ranks && windows / ranks % micro != 0) {
    throw KeyError("how.micro_batch_tokens", std::to_string(config.how.micro_batch_tokens),
                   "must divide each of " + std::to_string(ranks) +
                       " processes' share of a batch, " +
                       std::to_string(config.train.batch_tokens / ranks) + " tokens");
  }
}

}  // namespace scalelaw
