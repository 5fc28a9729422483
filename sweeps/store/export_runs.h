// Runs out of a store into one archive, to be carried elsewhere or kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sweeps/store/store_runs.h"

namespace scalelaw {

struct ExportOptions {
  bool weights = false;                  // checkpoints too
  std::vector<std::string> sweeps = {};  // whose records, exclusions and predictions go along
  std::string program_version = {};
};

struct Exported {
  uint64_t runs = 0, files = 0, bytes = 0;
  uint64_t archive_bytes = 0;
  uint64_t without_weights = 0;          // runs, where weights were asked for
  std::vector<std::string> left_out;     // "RUN: is interrupted, and excluded from sweep …"
  std::vector<std::string> left_behind;  // parts_of_sweep()'s
};

// Writes `archive` (.tar.zst) beside its place and renames it there. Equal runs give equal bytes.
// A run without its result that one of `sweeps` excludes is left out. ConfigError: no run, another
// run without its result, what an import would refuse (a folder whose files are of several runs;
// parts_of_sweep()), a file of that name already there; std::runtime_error: the disk, or a run that
// changed while it was read.
Exported export_runs(const std::filesystem::path& runs, std::vector<StoreRun> chosen,
                     const std::filesystem::path& archive, const ExportOptions& options);

}  // namespace scalelaw
