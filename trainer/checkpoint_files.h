// The names of a run's checkpoints: what is one, for the trainer and for those who look on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "trainer/run_record.h"

namespace scalelaw {

std::filesystem::path checkpoint_file(const RunFolder& folder, int64_t step);
// Steps of the files there that are named so, newest first; none where there is no such folder.
// std::filesystem::filesystem_error when the folder cannot be read.
std::vector<int64_t> checkpoint_steps(const RunFolder& folder);

}  // namespace scalelaw
