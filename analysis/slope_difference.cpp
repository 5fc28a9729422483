#include "analysis/slope_difference.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/block_error.h"
#include "analysis/crossing.h"
#include "analysis/fitting/distributions.h"

namespace scalelaw {
void compare_slopes(const ArmLaws& a, const ArmLaws& b, bool paired, Comparison& out) {
  const WeightedLine &line_a = a.power.line, &line_b = b.power.line;
  const double scale_a = line_a.weighted_rss / a.power.df;
  const double scale_b = line_b.weighted_rss / b.power.df;
  out.slope_a = a.power.slope;
  out.slope_b = b.power.slope;
  out.slope_interval_a = a.power.slope_interval;
  out.slope_interval_b = b.power.slope_interval;
  out.difference = out.slope_a - out.slope_b;
  const double at = line_a.centre_x;
  const std::optional<TextVariance> known = text_variance_of_difference(
      line_series(a.windows, a.cells, at), line_series(b.windows, b.cells, at), paired);
  const TextVariance text = known.value_or(TextVariance{});
  if (known) out.text_standard_error = std::sqrt(known->slope);
  const std::array parts = {VariancePart{scale_a / line_a.sum_xx, static_cast<double>(a.power.df)},
                            VariancePart{scale_b / line_b.sum_xx, static_cast<double>(b.power.df)},
                            VariancePart{text.slope, kBlockDf}};
  out.df = satterthwaite_df(parts);
  out.standard_error = std::sqrt(parts[0].variance + parts[1].variance + text.slope);
  const double t = student_t_quantile(0.5 + 0.5 * out.level, out.df);
  out.interval = {out.difference - t * out.standard_error, out.difference + t * out.standard_error};
  if (out.standard_error > 0) {
    out.f = std::pow(out.difference / out.standard_error, 2);
    out.p = f_upper_tail(out.f, 1, out.df);
  } else {
    out.p = out.difference == 0 ? 1 : 0;
  }
  out.p_holm = out.p;
  out.equivalence_margin = std::max(std::abs(out.interval.low), std::abs(out.interval.high));
  out.crossing = crossing_set({.slope_difference = out.difference,
                               .ln_loss_difference = line_a.centre_y - line_b.at(at),
                               .at_ln_n = at,
                               .level_variance_a = scale_a / line_a.sum_weight,
                               .level_variance_b = scale_b / line_b.sum_weight,
                               .slope_variance_a = parts[0].variance,
                               .slope_variance_b = parts[1].variance,
                               .centre_ln_n_b = line_b.centre_x,
                               .text_level_variance = text.level,
                               .text_slope_variance = text.slope,
                               .text_covariance = text.covariance,
                               .t = t});
}

}  // namespace scalelaw
