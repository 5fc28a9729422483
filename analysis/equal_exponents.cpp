#include "analysis/equal_exponents.h"

#include <algorithm>
#include <cmath>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/variable_projection.h"

namespace scalelaw {

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
    if (fit.status != FitStatus::kConverged) {
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
  double best = 0.02;
  for (int i = 0; i <= 120; ++i) {
    const double alpha = 0.02 * std::pow(125.0, i / 120.0);
    if (shared_rss(alpha) < shared_rss(best)) best = alpha;
  }
  double low = best / 1.05, high = best * 1.05;  // a golden section between grid neighbours
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  while (high - low > 1e-8) {
    const double left = high - golden * (high - low), right = low + golden * (high - low);
    (shared_rss(left) < shared_rss(right) ? high : low) =
        shared_rss(left) < shared_rss(right) ? right : left;
  }
  out.shared_alpha = 0.5 * (low + high);
  const double excess = std::max(shared_rss(out.shared_alpha) - free_rss, 0.0);
  out.f = excess / (free_rss / out.df);
  out.p = f_upper_tail(out.f, 1, out.df);
  out.p_holm = out.p;
  out.status = std::isfinite(out.p) ? FitStatus::kConverged : FitStatus::kDegenerate;
  if (!std::isfinite(out.p)) out.why = "nothing scatters about the fits";
  return out;
}

}  // namespace scalelaw
