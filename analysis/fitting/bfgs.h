// Ceres' GradientProblem solver with BFGS, to the end: only a vanished gradient or a search that
// finds nothing lower stops it. Whether it converged is the caller's to judge.
#pragma once

#include <functional>
#include <vector>

namespace scalelaw {

// F at x; with `gradient` (one entry a coordinate) that too. false: no value there.
using ValueAndGradient = std::function<bool(const double* x, double* value, double* gradient)>;

void minimise_by_bfgs(const ValueAndGradient& of, int most_iterations, std::vector<double>& x);

}  // namespace scalelaw
