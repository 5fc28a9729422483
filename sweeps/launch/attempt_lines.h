// What a launcher says of an attempt that has ended, a line a time.
#pragma once

#include <optional>
#include <string>

#include "sweeps/launch/attempt_verdict.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

// "RUN: loss 2.93 on books, 12 s; about 3 min left", or that and when it diverged. `status` is an
// ended one; no `seconds` where another process completed it; `seconds_left` where the sweep goes
// on and it is known how long.
std::string complete_text(const PlannedCell& cell, const CellStatus& status,
                          std::optional<double> seconds, std::optional<double> seconds_left);

// "RUN and 3 more: exit 1, will be tried again: out of memory"; of cells that are left
std::string left_text(const Plan& plan, const AttemptLeft& left);

// "RUN: another process has it"
std::string elsewhere_text(const PlannedCell& cell);

}  // namespace scalelaw
