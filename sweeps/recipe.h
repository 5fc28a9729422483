// All that a run is but its learning rate and seeds: what is compared when a rate is chosen.
#pragma once

#include <string>

#include "trainer/run_config.h"

namespace scalelaw {

std::string recipe_of(const RunConfig& config);

}  // namespace scalelaw
