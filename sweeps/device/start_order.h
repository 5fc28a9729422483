// Which cells of a sweep start first.
#pragma once

#include <cstddef>
#include <vector>

#include "sweeps/plan/plan.h"

namespace scalelaw {

// The order of `cells` (indices into the plan's) by the plan's own: where that is
// kSmallestRungFirst the cheapest rung of each arm first, where a wrong setting shows in minutes,
// then the longest first, so that no core is left waiting for one long run at the end. By FLOPs; by
// tokens where they are not known.
std::vector<std::size_t> start_order(const Plan& plan, std::vector<std::size_t> cells);

}  // namespace scalelaw
