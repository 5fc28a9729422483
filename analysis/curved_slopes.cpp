#include "analysis/curved_slopes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/block_error.h"
#include "analysis/fitting/distributions.h"

namespace scalelaw {
namespace {

// One arm's slope -d ln L / d ln N at one x, its variance, and window by window.
struct SlopeAt {
  double slope = 0;
  VariancePart scatter;  // the residuals'
  double counted = 0;    // the text's variance that residuals show anyway
  WindowSeries windows;
};

SlopeAt slope_at(const ArmLaws& arm, double x) {
  const std::vector<LinePoint> points = line_points(arm.cells);
  std::vector<double> coefficients = parabola_slope_coefficients(points, x);
  SlopeAt out;
  out.scatter.df = static_cast<double>(points.size()) - 3;
  for (std::size_t i = 0; i < points.size(); ++i) {
    double& c = coefficients[i];
    c = -c;
    out.slope += c * points[i].y;
    out.scatter.variance += c * c / points[i].weight;
    out.counted += c * c * arm.cells[i].evaluation_variance;
  }
  out.scatter.variance *= fit_curvature(points).weighted_rss / out.scatter.df;
  out.windows = combined(arm.windows, coefficients);
  return out;
}

double text_variance_of(const SlopeAt& a, const SlopeAt& b, bool paired) {
  const auto whole = variance_of_difference(a.windows, b.windows, paired);
  return whole ? std::max(*whole - a.counted - b.counted, 0.0) : 0;
}

double weighted_centre(const ArmLaws& a, const ArmLaws& b) {
  const WeightedLine &one = a.power.line, &two = b.power.line;
  return (one.sum_weight * one.centre_x + two.sum_weight * two.centre_x) /
         (one.sum_weight + two.sum_weight);
}

}  // namespace

CurvedSlopes compare_curved_slopes(const ArmLaws& a, const ArmLaws& b, bool paired, double low,
                                   double high, double level) {
  CurvedSlopes out;
  for (const ArmLaws* arm : {&a, &b}) {
    if (arm->power.sizes >= kFewestSizesForCurve) continue;
    out.why = "a curve with an interval needs at least " + std::to_string(kFewestSizesForCurve) +
              " sizes";
    return out;
  }
  const auto difference_at = [&](double x) {
    const SlopeAt one = slope_at(a, x), two = slope_at(b, x);
    CurvedSlopes::At at;
    at.n = std::exp(x);
    at.difference = one.slope - two.slope;
    const double text = text_variance_of(one, two, paired);
    at.df = satterthwaite_df(std::array{one.scatter, two.scatter, VariancePart{text, kBlockDf}});
    at.standard_error = std::sqrt(one.scatter.variance + two.scatter.variance + text);
    const double reach = student_t_quantile(0.5 + 0.5 * level, at.df) * at.standard_error;
    at.interval = {at.difference - reach, at.difference + reach};
    return at;
  };
  out.low = difference_at(std::log(low));
  out.centre = difference_at(weighted_centre(a, b));
  out.high = difference_at(std::log(high));
  const CurvedSlopes::At& c = out.centre;
  out.p = c.standard_error > 0 ? f_upper_tail(std::pow(c.difference / c.standard_error, 2), 1, c.df)
                               : (c.difference == 0 ? 1 : 0);
  out.p_holm = out.p;
  out.status = std::isfinite(out.p) ? FitStatus::kConverged : FitStatus::kDegenerate;
  if (!std::isfinite(out.p)) out.why = "the sizes do not determine a curve";
  return out;
}

}  // namespace scalelaw
