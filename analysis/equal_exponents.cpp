#include "analysis/equal_exponents.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/variable_projection.h"

namespace scalelaw {
namespace {

// Over the range that the free fits search: a grid, then a golden section between the neighbours of
// its best node.
double minimum_over_exponents(const std::function<double(double)>& rss) {
  const VariableProjectionOptions range;
  constexpr int kSteps = 120;
  const double step = std::pow(range.exponent_max / range.exponent_min, 1.0 / kSteps);
  double best = range.exponent_min, least = rss(best);
  for (int i = 1; i <= kSteps; ++i) {
    const double alpha = range.exponent_min * std::pow(step, i), there = rss(alpha);
    if (there < least) {
      best = alpha;
      least = there;
    }
  }
  double low = std::max(best / step, range.exponent_min);
  double high = std::min(best * step, range.exponent_max);
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double at_left = rss(left), at_right = rss(right);
  while (high - low > 1e-8) {
    if (at_left < at_right) {
      high = std::exchange(right, left);
      left = high - golden * (high - low);
      at_right = std::exchange(at_left, rss(left));
    } else {
      low = std::exchange(left, right);
      right = low + golden * (high - low);
      at_left = std::exchange(at_right, rss(right));
    }
  }
  return 0.5 * (low + high);
}

}  // namespace

FloorComparison compare_with_floors(const ArmLaws& a, const ArmLaws& b) {
  FloorComparison out;
  std::vector<FitData> data;
  double free_rss = 0;
  for (const ArmLaws* laws : {&a, &b}) {
    if (laws->power.sizes < kFewestSizesForFloor) {
      out.why = "a floor needs at least " + std::to_string(kFewestSizesForFloor) + " sizes";
      return out;
    }
    data.push_back(data_of_means(laws->cells));
    const FitResult fit = fit_least_squares(power_law_with_floor(), data.back());
    if (fit.status != FitStatus::kConverged && fit.status != FitStatus::kAtBound) {
      out.status = fit.status;
      out.why = laws->arm + ": " + fit.why;
      return out;
    }
    free_rss += fit.objective;
    (laws == &a ? out.alpha_a : out.alpha_b) = fit.theta.front();
  }
  out.df = static_cast<int>(a.cells.size() + b.cells.size()) - 6;
  const auto shared_rss = [&](double alpha) {
    double rss = 0;
    for (const FitData& d : data) {
      const FitResult fit = fit_least_squares(power_law_with_floor(), d, {.fixed_exponent = alpha});
      rss += fit.theta.empty() ? 1e300 : fit.objective;
    }
    return rss;
  };
  out.shared_alpha = minimum_over_exponents(shared_rss);
  const double excess = std::max(shared_rss(out.shared_alpha) - free_rss, 0.0);
  out.f = excess / (free_rss / out.df);
  out.p = f_upper_tail(out.f, 1, out.df);
  out.p_holm = out.p;
  out.status = std::isfinite(out.p) ? FitStatus::kConverged : FitStatus::kDegenerate;
  if (!std::isfinite(out.p)) out.why = "nothing scatters about the fits";
  return out;
}

}  // namespace scalelaw
