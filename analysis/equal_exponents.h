// Are the exponents of two arms equal when each has a floor of its own?
#pragma once

#include "analysis/compare.h"

namespace scalelaw {

// F(1, df) of the smallest total residual sum of squares (relative errors) with one exponent for
// both arms against one each, over E >= 0 (an arm's best may be E = 0). Not kConverged, with the
// reason, below kFewestSizesForFloor sizes or where an arm has no fit.
FloorComparison compare_with_floors(const ArmLaws& a, const ArmLaws& b);

}  // namespace scalelaw
