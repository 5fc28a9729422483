// Whether the GPUs that a sweep is to run on can be used, asked before anything is written.
#pragma once

#include <filesystem>

#include "sweeps/plan/workers.h"

namespace scalelaw {

// Has the trainer make one step on each of them. ConfigError with its own words, and the GPU's
// name where there are several. Ends the process by the signal where one asks it to stop meanwhile.
void check_gpus(const Workers& workers, const std::filesystem::path& trainer);

}  // namespace scalelaw
