// Learning rates that were tried and whose best is the lowest or the highest of them: a bound, no
// optimum.
#pragma once

#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

// Complete cells that are alike but for the rate and the seeds, of three rates or more; a rate's
// loss is the mean over its seeds (one that diverged is no optimum and has none). One line a rule,
// naming the first of those groups and how many there are. Losses are those of `statuses`.
std::vector<std::string> rate_edge_warnings(const Plan& plan,
                                            const std::vector<CellStatus>& statuses);

}  // namespace scalelaw
