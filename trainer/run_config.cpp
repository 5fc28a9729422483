#include "trainer/run_config.h"

namespace scalelaw {

std::map<std::string, int64_t> test_tokens(const RunConfig& config) {
  constexpr int64_t kDefaultTokens = 131072;
  if (!config.data.test.empty()) return config.data.test;
  return {{config.data.train, kDefaultTokens}};
}

int64_t total_steps(const RunConfig& config) {
  return (config.horizon.tokens + config.train.batch_tokens - 1) / config.train.batch_tokens;
}

}  // namespace scalelaw
