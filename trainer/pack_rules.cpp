#include "trainer/pack_rules.h"

#include <algorithm>
#include <string>

#include "trainer/config_error.h"
#include "trainer/run_identity.h"

namespace scalelaw {

std::string key_against_sharing(const RunConfig& a, const RunConfig& b) {
  if (!(canonical(a.model) == canonical(b.model))) return "model";
  if (a.data.train != b.data.train) return "data.train";
  if (test_tokens(a) != test_tokens(b)) return "data.test";
  if (a.train.batch_tokens != b.train.batch_tokens) return "train.batch_tokens";
  if (a.train.precision != b.train.precision) return "train.precision";
  if (a.train.optimizer.kind != b.train.optimizer.kind) return "train.optimizer.kind";
  if (a.evaluate.points_per_decade != b.evaluate.points_per_decade ||
      a.evaluate.tokens != b.evaluate.tokens ||
      a.evaluate.noise_scale_every != b.evaluate.noise_scale_every) {
    return "evaluate";
  }
  if (a.how.micro_batch_tokens != b.how.micro_batch_tokens) return "how.micro_batch_tokens";
  if (a.how.step != b.how.step) return "how.step";
  if (a.how.recompute != b.how.recompute) return "how.recompute";
  return "";
}

void check_can_share_pack(const std::vector<RunConfig>& configs) {
  if (configs.empty()) throw ConfigError("no configuration given");
  for (const RunConfig& other : configs) {
    if (const std::string key = key_against_sharing(configs.front(), other); !key.empty()) {
      throw ConfigError("these configurations cannot share a pack: " + key +
                        " differs; train them in separate commands");
    }
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
  if (config.evaluate.noise_scale_every > 0 && windows / ranks < 2) {
    int64_t fewer = windows / 2;
    while (windows % fewer != 0) --fewer;
    throw KeyError("evaluate.noise_scale_every", std::to_string(config.evaluate.noise_scale_every),
                   "compares the gradient of each process's windows with that of a part of them, "
                   "and " +
                       std::to_string(ranks) +
                       " processes have one window each; set it to 0, "
                       "or train on " +
                       std::to_string(fewer) + (fewer == 1 ? " process" : " processes at most"));
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
