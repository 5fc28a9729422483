// Everything one analysis concludes: the table of runs, each arm's laws by two conventions of N,
// the comparisons, and what a reader must be warned of.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/compare.h"
#include "analysis/multiverse.h"
#include "analysis/tuning_budget.h"

namespace scalelaw {

struct Study {
  RunTable table;
  LawOptions options;
  std::vector<ArmLaws> laws;            // by options.selection.n_count
  NCount other_count = NCount::kTotal;  // the convention set beside it
  std::vector<ArmLaws> other_laws;
  std::vector<Comparison> comparisons;  // of laws; every pair
  std::vector<Comparison> other_comparisons;
  std::vector<Multiverse> multiverse;  // of each arm of laws
  std::vector<RateScan> rate_scans;    // of the learning rate, as far as trials are recorded
  std::vector<std::string> warnings;
  CellNoise noise;  // all arms together, by options.selection.n_count
};

// ConfigError where no result can stand: nothing complete, or no arm with
// kFewestSizesForPowerLaw sizes. Weaker data give warnings.
// `paths`: what the table was read from, for the trials of learning rates beside its runs.
Study analyse_runs(RunTable table, const LawOptions& options,
                   const std::vector<std::filesystem::path>& paths = {});
Study analyse(const std::vector<std::filesystem::path>& paths, const LawOptions& options);

// Machine-readable: the same numbers as the tables.
std::string study_json(const Study& study);

}  // namespace scalelaw
