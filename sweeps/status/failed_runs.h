// The runs that failed, for people: which, why, and what their processes said last.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

inline constexpr std::size_t kLogLinesShown = 3, kFailedRunsShown = 5;

// What the run's last attempt printed last, at most kLogLinesShown lines, the oldest first, as it
// may be printed: escaped (trainer/escaped.h), control characters and whatever a log may hold.
// Reads a few kilobytes at the end of one file; none of a run whose attempt left no log.
std::vector<std::string> last_log_lines(const Plan& plan, const PlannedCell& cell,
                                        const CellStatus& status);

// A heading, of each failed run its name and why, and its last_log_lines(), of at most `most` runs,
// then how many more there are; none where none failed.
std::vector<std::string> failed_lines(const Plan& plan, const std::vector<CellStatus>& statuses,
                                      std::size_t most = kFailedRunsShown);

}  // namespace scalelaw
