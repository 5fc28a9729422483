// Runs of other people's tables, as a study takes run folders.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/measurements/measurements.h"

namespace scalelaw {

struct TabledReading {
  std::vector<std::string> maps = {};  // --map
  std::string where = {};              // --where
  std::string run = {};  // column whose rows of one value are one run while it trains; "": "run"
};

// A row a run; of rows of one run the one of most tokens, and the others its curve. Arms are what
// the column arm holds, else the files' names. N is the column n_non_embedding,
// n_non_embedding_plus_head or n_total that counts as `selection` does, else the table's N, which
// is taken for that, with a warning. The loss is L, or of bits per byte the column bits_per_byte.
// Rows that are the same twice, or lack a number, become exclusions. `selection.test_set` becomes
// the loss column's name. ConfigError: what column_map() and MeasurementFilter refuse, a run of two
// N or arms, --test-set, run folders beside tables: whether their test texts are the same is not
// known.
RunTable tabled_runs(Measurements table, const TabledReading& reading, Selection& selection);

}  // namespace scalelaw
