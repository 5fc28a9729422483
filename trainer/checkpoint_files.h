// The names of a run's checkpoints: what is one, for the trainer and for those who look on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/run_record.h"

namespace scalelaw {

inline constexpr const char* kWeightPrefix = "model.";  // of a parameter's name in files

std::filesystem::path checkpoint_file(const RunFolder& folder, int64_t step);
// Steps of the files there that are named so, newest first; none where there is no such folder.
// std::filesystem::filesystem_error when the folder cannot be read.
std::vector<int64_t> checkpoint_steps(const RunFolder& folder);

// Content hashes, by row, of the runs that were trained side by side when the newest checkpoint was
// written, this one among them; none where there is no checkpoint. Reads the file's head alone.
// std::runtime_error when it cannot be read, or tells of no pack.
std::vector<std::string> checkpoint_pack(const RunFolder& folder);

}  // namespace scalelaw
