// Least squares for sums of powers: the coefficients are solved in closed form inside, so only the
// exponents are searched (Golub & Pereyra 1973, with Kaufman's Jacobian): a grid over them, then
// Gauss-Newton from its best node. Coefficients and floor are kept non-negative.
#pragma once

#include <optional>

#include "analysis/fitting/fit.h"

namespace scalelaw {

enum class ErrorSpace {
  kLoss,      // residuals in L ("MSE on L")
  kRelative,  // residuals divided by the observed L: ln L to first order; equal relative noise
};

struct VariableProjectionOptions {
  ErrorSpace space = ErrorSpace::kRelative;
  int grid = 16;  // nodes an exponent, log-spaced
  double exponent_min = 0.01, exponent_max = 3;
  std::optional<double> fixed_exponent =
      std::nullopt;  // hold the first exponent here (profiles, shared slopes)
};

// objective is the weighted residual sum of squares in `space`. status: kTooFewPoints below
// parameters() distinct scales, kNotIdentified at exactly as many (theta then interpolates),
// kAtBound when the best floor is 0, kDegenerate when an exponent stands at the end of its range or
// no node of the grid gives independent columns (theta is then empty).
FitResult fit_least_squares(const Law& law, const FitData& data,
                            const VariableProjectionOptions& options = {});

}  // namespace scalelaw
