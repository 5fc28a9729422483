#include "trainer/pack_rules.h"

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
    if (other.how.recompute != first.how.recompute) differs("how.recompute");
  }
}

}  // namespace scalelaw
