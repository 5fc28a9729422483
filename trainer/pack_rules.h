// Which runs may share a pack. No LibTorch.
#pragma once

#include <vector>

#include "trainer/run_config.h"

namespace scalelaw {

// Members share model shape, data sets, batch, precision, optimizer kind, evaluation and how
// the step is computed; seeds, rates, optimizer numbers, schedule and horizon are each one's own.
// ConfigError names the first key that differs.
void check_can_share_pack(const std::vector<RunConfig>& configs);

// Whether `ranks` processes can share every batch of what `configs` train. ConfigError or KeyError
// says which numbers can.
void check_can_share_batches(const std::vector<RunConfig>& configs, int ranks);

}  // namespace scalelaw
