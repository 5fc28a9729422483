#include "trainer/run_config.h"

namespace scalelaw {

int64_t total_steps(const RunConfig& config) {
  return (config.horizon.tokens + config.train.batch_tokens - 1) / config.train.batch_tokens;
}

}  // namespace scalelaw
