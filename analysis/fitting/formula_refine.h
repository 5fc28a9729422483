// One search of a FormulaLaw's constants, from one start.
//
// Newton's steps where the objective has derivatives and they lead to an optimum inside
// (formula_newton.h). Else, and without them, the slow way, which finds what lies at an end too:
// Gauss-Newton steps (Levenberg's damping), then Ceres GradientProblem BFGS on F divided by its
// scale, in coordinates in which the Gauss-Newton matrix is the identity: a law's A and alpha lie
// in a valley as narrow as the rows are far from N = 1, and centring by hand is no way for a
// formula that is only text. Repeated until the projected scaled gradient vanishes: no step leaves
// a range or raises F, the others are solved for anew when a constant stops at an end, and one at
// an end is let go when F falls inwards.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/fitting/formula_objective.h"

namespace scalelaw {

// In ln, or of the response's spread.
inline constexpr double kNoEffect = 1e-7;

struct RefinedFormula {
  std::vector<double> u;
  double objective = 0, scaled_gradient = 0;
  std::vector<bool> held;       // by the caller
  std::vector<bool> at_end;     // of its range, and F falls beyond it alone
  std::vector<bool> no_effect;  // its term has vanished, or it stands in one that has: no row's law
                                // moves by 1e-7 when it moves by a factor of e, or by its size
  std::vector<std::size_t> free() const;  // the others
};

// `held` constants (one flag each; empty: none) stay where `start` has them. Others that `start`
// has outside their ranges begin at the end.
RefinedFormula refine_formula(const FormulaObjective& objective, std::vector<double> start,
                              const std::vector<bool>& held = {});

}  // namespace scalelaw
