// What of a sweep goes into an archive with its runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace scalelaw {

struct SweepParts {
  std::vector<std::string> sweeps;       // below RUNS/sweeps: exclusions, by name, and its record
  std::vector<std::string> predictions;  // below RUNS/predictions, by name
  // Sentences: predictions that cannot be read, so that nobody knows whose they are, and what its
  // study leaves out.
  std::vector<std::string> left_behind = {};
};

// Of exclusions those of cells that the record names; of predictions the registered ones that are
// of the sweep (sweep_predictions.h). ConfigError, what to do included: what no import would take,
// which is a name that may not stand in an archive, the record of another sweep, an exclusion or a
// prediction that a cell names and that is damaged. std::runtime_error: a file that cannot be read.
SweepParts parts_of_sweep(const std::filesystem::path& runs, const std::string& sweep);

}  // namespace scalelaw
