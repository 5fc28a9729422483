// The difference of two arms' slopes with its interval and test, and where their lines cross.
#pragma once

#include "analysis/compare.h"

namespace scalelaw {

// Fills in slopes, difference, interval, test and crossing; out.level and out.pairs are set.
// Both arms have lines. `same_text`: their runs read the same test windows.
void compare_slopes(const ArmLaws& a, const ArmLaws& b, bool same_text, Comparison& out);

}  // namespace scalelaw
