// The slope difference with a parabola in ln N for each arm: what is left of it where straight
// lines are a wrong form, and whether it holds over the whole range.
#pragma once

#include "analysis/compare.h"

namespace scalelaw {

// On the arms' weights, one residual scale for both, Student's t at `level`; the test text's part
// is counted where `same_text`. Ends: [low, high].
CurvedSlopes compare_curved_slopes(const ArmLaws& a, const ArmLaws& b, bool same_text, double low,
                                   double high, double level);

}  // namespace scalelaw
