// What a sweep's record says of the cells that it holds out, and of those that it does not.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "trainer/sweep_record.h"

namespace scalelaw {

// Of RUNS/sweeps/NAME.json: RUNS.
std::filesystem::path store_of_record(const std::filesystem::path& record_file);

// By content hash what the sweep's record says of a cell's recipe (SweepCell).
using Recipes = std::map<std::string, std::map<std::string, std::string>>;

struct HeldOutSweep {
  std::string sweep;
  std::vector<SweepCell> cells;                             // held out and not excluded
  std::vector<std::pair<SweepCell, std::string>> excluded;  // held out, with the reason
  std::string unended;                                      // as HeldOutPredictions has it
  Recipes recipes;                                          // of all cells that it says one of
  std::vector<std::string> names() const;  // of the predictions of all of them, in their order
};

// ConfigError: a file that is no sweep's record, or cannot be read.
HeldOutSweep read_held_out_cells(const std::filesystem::path& record_file);

}  // namespace scalelaw
