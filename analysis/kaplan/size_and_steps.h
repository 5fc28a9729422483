// L(N, S_min) = (N_c / N)^a_N + (S_c / S_min)^a_S (Kaplan et al. 2020, 1.6) by least squares in
// ln L over smoothed curves, and what follows of it for compute-efficient training.
#pragma once

#include <span>
#include <vector>

#include "analysis/fitting/formula_fit.h"
#include "analysis/kaplan/adjusted_curve.h"

namespace scalelaw {

struct SizeAndSteps {
  FormulaFit fit;
  int runs = 0, points = 0, sizes = 0;
  double n_c = 0, a_n = 0, s_c = 0, a_s = 0;
  double least_loss = 0, most_loss = 0;
  double residual_sd = 0;  // of ln L, points of one run being far from independent
  bool stands() const { return fit.status == FitStatus::kConverged; }
  double loss(double n, double s_min) const;
};

// times[i] of curve i, a draw's count; 0 leaves it out. From `start` (search coordinates of an
// earlier fit) alone where that is not empty.
SizeAndSteps fit_size_and_steps(std::span<const AdjustedCurve> curves,
                                std::span<const double> times, const std::vector<double>& start);

// Kaplan et al. 2020, 1.7 and 1.8 (6.6 with S_min): exponents in C_min of the loss and of how more
// compute is best spent.
struct EfficientExponents {
  double loss = 0;                        // a_C = 1 / (1/a_S + 1/a_B + 1/a_N)
  double size = 0, batch = 0, steps = 0;  // a_C / a_N, a_C / a_B, a_C / a_S; their sum is 1
};
EfficientExponents predicted_exponents(double a_n, double a_s, double inverse_a_b);

// What reaching one loss costs at k N* in place of N*, N* being where L = (1 + a_N/a_S) (N_c/N)^a_N
// (Kaplan et al. 2020, B.1 to B.4). Infinite where a model so small never reaches it.
struct WrongSizeCost {
  double compute = 0, steps = 0;  // times the least
};
WrongSizeCost wrong_size_cost(double a_n, double a_s, double k);

// The least and the largest k whose compute is within `extra` of the least: .2 for 20% more.
struct SizeRange {
  double low = 0, high = 0;
};
SizeRange sizes_within(double a_n, double a_s, double extra);

}  // namespace scalelaw
