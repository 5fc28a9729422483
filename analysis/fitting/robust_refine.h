// The robust fit in ln L: minimises F = sum of weight * Huber_delta(ln L - law), with Huber(r) =
// r^2/2 inside delta, delta (|r| - delta/2) outside, so that F is what papers print. A count in a
// bootstrap is a weight on the Huber term, never a square root on its residual.
//
// Ceres GradientProblem BFGS on F / delta^2 with the law's exact gradient: the raw objective is
// about 1e-3 and solvers stop early on it. Convergence is judged by the scaled gradient here, never
// by the solver's word. (Ceres' Levenberg-Marquardt drops the second derivative of the loss and
// crawls: of Chinchilla's 240 points 39 lie inside delta.)
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "analysis/fitting/fit.h"

namespace scalelaw {

inline constexpr double kLeastSquares = std::numeric_limits<double>::infinity();

struct RefineOptions {
  double huber_delta = 1e-3;  // in ln L; kLeastSquares: least squares in ln L
  // Holds one entry of theta (profiles).
  std::optional<int> fixed_parameter = std::nullopt;
  double fixed_value = 0;
};

// From one start. Statuses as FitStatus says; kAtBound when E fell below 1e-6 of the smallest loss
// (theta then has kNoFloor, and the others minimise F without a floor), kDegenerate when a law with
// a floor fits best with an exponent of 0 or below: its loss then has no limit.
FitResult refine(const Law& law, const FitData& data, std::vector<double> start,
                 const RefineOptions& options);

// Variable projection in both error spaces and a third start between them, each refined: for a
// first fit, and for every fit of fewer than 60 points. Counts starts and how many found the best.
FitResult fit_robust(const Law& law, const FitData& data, const RefineOptions& options);

// 1.345 times the robust standard deviation (1.4826 median |r|) of the least-squares residuals in
// ln L, corrected for the parameters spent: 95% efficient where noise is normal. Never below 1e-6.
double default_huber_delta(const Law& law, const FitData& data);

}  // namespace scalelaw
