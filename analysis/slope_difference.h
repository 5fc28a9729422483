// The difference of two arms' slopes with its interval and test, and where their lines cross.
#pragma once

#include "analysis/compare.h"

namespace scalelaw {

// Fills in slopes, difference, interval, test and crossing; out.level is set. Each arm's residuals
// give its own scale (one for both would be that of the arm with more sizes), the degrees of
// freedom are Satterthwaite's; the crossing takes the slope difference's, so that its set is an
// interval exactly where the slopes are told apart. Both arms have lines. `paired`: their runs
// read the same windows of the test text.
void compare_slopes(const ArmLaws& a, const ArmLaws& b, bool paired, Comparison& out);

}  // namespace scalelaw
