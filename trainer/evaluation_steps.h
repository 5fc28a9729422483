// When a run is evaluated while it trains. No LibTorch: a plan counts what training does.
#pragma once

#include <cstdint>
#include <vector>

namespace scalelaw {

// Update counts after which an evaluation is due: rint(10^(i / points_per_decade)), at least 1,
// below `steps`, without repeats. The final evaluation, at `steps`, is not among them.
std::vector<int64_t> evaluation_steps(double points_per_decade, int64_t steps);

}  // namespace scalelaw
