// What a sweep has learned of its runs the hard way: RUNS/sweeps/NAME/limits/. A pack that ran out
// of memory, or held an ill run, is not formed again, and a run that ran out of memory is never
// computed in such pieces again, by this launcher or another, in this launch or a later one. One
// for which no pieces were small enough is not started again until that is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/sweep_folder.h"

namespace scalelaw {

struct CellLimits {
  std::size_t most_together = std::numeric_limits<std::size_t>::max();  // runs in its process
  int64_t most_tokens_at_once = 0;       // computed of a batch; 0: any number
  bool too_large = false;                // alone and in the smallest pieces too, with
  double memory_bytes = 0;               // so much at most; 0: not known
  void narrow(const CellLimits& other);  // to what both allow
  bool operator==(const CellLimits&) const = default;
};

using SweepLimits = std::map<std::string, CellLimits>;  // by content hash

// Of each cell the narrowest of either kind that was noted since it was last forgotten, whoever
// noted it. What was noted by one who knew nothing of the forgetting holds where that knew nothing
// of it either. None for lines that cannot be read.
SweepLimits read_limits(const SweepFolder& folder);
CellLimits limits_of(const SweepLimits& limits, const PlannedCell& cell);
// The same for all of these cells. Errors as append_notes (sweeps/status/note_files.h).
void append_limits(const SweepFolder& folder, const Plan& plan,
                   const std::vector<std::size_t>& cells, const CellLimits& limits);
// As if nothing had been noted of these cells. Errors as append_limits.
void forget_limits(const SweepFolder& folder, const Plan& plan,
                   const std::vector<std::size_t>& cells);

// Of a run that is too large: why it is not started, and what to do.
std::string too_large_text(const CellLimits& limits, const PlannedCell& cell);

// Half of what the run's last attempt computed at once, or the next number below that divides a
// batch evenly; 0 where one window is all that it computed. One that left no record was computed as
// its share of the machine's memory allows, which of a GPU is not known here.
int64_t fewer_tokens_at_once(const Plan& plan, const PlannedCell& cell, const CellLimits& limits);

}  // namespace scalelaw
