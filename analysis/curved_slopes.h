// The slope difference with a parabola in ln N for each arm: what is left of it where straight
// lines are a wrong form, and whether it holds over the whole range.
#pragma once

#include "analysis/compare.h"

namespace scalelaw {

// With 4 sizes (one residual degree of freedom) in one arm a nominal 95% interval covers 88%.
inline constexpr int kFewestSizesForCurve = 5;

// On the arms' weights, each arm with its own residual scale, Student's t at `level` with
// Satterthwaite's degrees of freedom; with the test text's part where it is known (`paired`: the
// arms' runs read the same windows of it). Ends: [low, high]. Below kFewestSizesForCurve sizes an
// arm there is none.
CurvedSlopes compare_curved_slopes(const ArmLaws& a, const ArmLaws& b, bool paired, double low,
                                   double high, double level);

}  // namespace scalelaw
