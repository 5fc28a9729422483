#include "trainer/run_config.h"

#include <algorithm>

namespace scalelaw {

std::map<std::string, int64_t> test_tokens(const RunConfig& config) {
  constexpr int64_t kDefaultTokens = 131072;
  if (!config.data.test.empty()) return config.data.test;
  return {{config.data.train, kDefaultTokens}};
}

int64_t total_steps(const RunConfig& config) {
  return (config.horizon.tokens + config.train.batch_tokens - 1) / config.train.batch_tokens;
}

int64_t unique_train_tokens(const RunConfig& config, int64_t split_tokens) {
  return std::min(total_steps(config) * config.train.batch_tokens, split_tokens - 1);
}

}  // namespace scalelaw
