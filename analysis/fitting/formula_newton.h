// The search of formula_refine.h where it is easy: Newton's steps with the exact Hessian, damped by
// the Gauss-Newton matrix while that has no minimum (Levenberg's damping), from one start.
#pragma once

#include <optional>

#include "analysis/fitting/formula_refine.h"

namespace scalelaw {

// nullopt where it is not: a constant meets an end of its range, a term vanishes, the Hessian at
// the end is not safely positive, the curve goes through every row, or a row has no value. What it
// then found is no result: refine_formula() begins again by its other way.
std::optional<RefinedFormula> newton_formula(const FormulaObjective& objective,
                                             const std::vector<double>& start,
                                             const std::vector<bool>& held);

}  // namespace scalelaw
