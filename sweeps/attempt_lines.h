// What a launcher says of an attempt that has ended, a line a time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sweeps/cell_status.h"
#include "sweeps/packing.h"
#include "sweeps/plan.h"
#include "sweeps/run_queue.h"
#include "sweeps/sweep_folder.h"

namespace scalelaw {

// What is left of an attempt: its verdict, and why.
struct AttemptLeft {
  PlannedPack cells;  // not empty
  Verdict verdict;    // not kComplete
  ProcessEnd end;
  std::string reason;
  std::filesystem::path log;
  int64_t step = 0;  // of the first cell's checkpoint
};

// "RUN: loss 2.93 on books, 12 s; about 3 min left", or that and when it diverged. `status` is an
// ended one; no `seconds` where another process completed it; `seconds_left` where the sweep goes
// on and it is known how long.
std::string complete_text(const PlannedCell& cell, const CellStatus& status,
                          std::optional<double> seconds, std::optional<double> seconds_left);

// "RUN and 3 more: exit 1, will be tried again: out of memory"
std::string left_text(const Plan& plan, const AttemptLeft& left);

// "RUN: another process has it"
std::string elsewhere_text(const PlannedCell& cell);

}  // namespace scalelaw
