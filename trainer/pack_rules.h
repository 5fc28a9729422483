// Which runs may share a pack. No LibTorch.
#pragma once

#include <string>
#include <vector>

#include "trainer/run_config.h"

namespace scalelaw {

// Members share model shape, data sets, batch, precision, optimizer kind, evaluation and how
// the step is computed; seeds, rates, optimizer numbers, schedule and horizon are each one's own.
// The first key in which two runs differ and members may not; "" where they may share a pack.
std::string key_against_sharing(const RunConfig& a, const RunConfig& b);

// ConfigError names that key.
void check_can_share_pack(const std::vector<RunConfig>& configs);

// Whether `ranks` processes can share every batch of what `configs` train. ConfigError or KeyError
// says which numbers can.
void check_can_share_batches(const std::vector<RunConfig>& configs, int ranks);

}  // namespace scalelaw
