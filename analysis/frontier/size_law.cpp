#include "analysis/frontier/size_law.h"

#include <algorithm>
#include <cmath>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/robust_refine.h"
#include "analysis/fitting/variable_projection.h"
#include "analysis/weighted_line.h"

namespace scalelaw {

double reach_of(std::span<const ReachPart> parts, NoiseSource source, double level) {
  double variance = 0;
  std::vector<VariancePart> estimated;
  for (const ReachPart& part : parts) {
    variance += part.variance;
    if (part.df > 0 && part.variance > 0) estimated.push_back({part.variance, part.df});
  }
  const double share = 0.5 + level / 2;
  if (estimated.empty()) return normal_quantile(share) * std::sqrt(variance);
  const double df =
      source == NoiseSource::kOneForAll ? estimated.front().df : satterthwaite_df(estimated);
  return student_t_quantile(share, df) * std::sqrt(variance);
}

double SizeLaw::exponent_reach(double level) const {
  std::vector<ReachPart> moved;
  for (const Part& p : parts) moved.push_back({p.of_exponent * p.of_exponent * p.variance, p.df});
  return reach_of(moved, source, level);
}

double SizeLaw::reach_at(double ln_c, double level) const {
  std::vector<ReachPart> moved;
  for (const Part& p : parts) {
    const double of = p.of_level + p.of_exponent * (ln_c - centre_ln_c);
    moved.push_back({of * of * p.variance, p.df});
  }
  return reach_of(moved, source, level);
}

double SizeLaw::coefficient() const {
  return std::exp(ln_n(0));
}

SizeLaw fit_size_law(std::span<const SizePoint> points, bool weighted, NoiseSource source) {
  SizeLaw law;
  law.source = source;
  law.budgets = static_cast<int>(points.size());
  const bool known =
      !points.empty() && std::ranges::all_of(points, [](auto& p) { return p.error > 0; });
  std::vector<LinePoint> line;
  for (const SizePoint& p : points) {
    line.push_back({p.ln_c, p.ln_n, weighted && known ? 1 / (p.error * p.error) : 1});
  }
  const bool spread =
      std::ranges::any_of(line, [&](const LinePoint& p) { return p.x != line.front().x; });
  if (!spread) {
    law.why = std::to_string(points.size()) + " budget" + (points.size() == 1 ? "" : "s") +
              " with a minimum inside its sizes; an exponent needs two";
    return law;
  }
  const WeightedLine fitted = fit_line(line);
  law.status = points.size() == 2 ? FitStatus::kNotIdentified : FitStatus::kConverged;
  if (points.size() == 2) law.why = "two budgets: the line goes through both minima";
  law.exponent = fitted.slope;
  law.centre_ln_c = fitted.centre_x;
  law.ln_n_at_centre = fitted.centre_y;
  const bool by_scatter = !known && points.size() > 2;
  const double df = static_cast<double>(points.size()) - 2;
  if (known) law.errors = LineErrors::kNoise;
  if (by_scatter) law.errors = LineErrors::kScatter;
  if (law.errors == LineErrors::kNone) return law;
  double squares = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const SizePoint& p = points[i];
    const double variance = known ? p.error * p.error : fitted.weighted_rss / df;
    law.parts.push_back({line[i].weight / fitted.sum_weight,
                         line[i].weight * (p.ln_c - fitted.centre_x) / fitted.sum_xx, variance,
                         known ? p.df : df});
    squares += std::pow(p.ln_n - fitted.at(p.ln_c), 2) / variance;
  }
  if (known && df > 0) law.scatter_ratio = std::sqrt(squares / df);
  return law;
}

LossLaw::LossLaw(std::vector<LossPoint> points) : points_(std::move(points)) {
  std::vector<Observation> rows;
  for (const LossPoint& p : points_) rows.push_back({p.c, 1, p.loss, 1});
  data_ = FitData(rows);
  fit_ = fit_least_squares(power_law_with_floor(), data_);
  status_ = fit_.status;
}

double LossLaw::ln_loss(double c) const {
  return power_law_with_floor().ln_loss(fit_.theta, data_.centred(c, 1));
}

double LossLaw::fitted(const std::vector<LossPoint>& points, double c) const {
  FitData moved = data_;
  for (std::size_t i = 0; i < points.size(); ++i) {
    moved.loss[i] = points[i].loss;
    moved.ln_loss[i] = std::log(points[i].loss);
  }
  const FitResult fit =
      refine(power_law_with_floor(), moved, fit_.theta, {.huber_delta = kLeastSquares});
  return power_law_with_floor().ln_loss(fit.theta, data_.centred(c, 1));
}

double LossLaw::reach_at(double c, NoiseSource source, double level) const {
  // Central differences over each point's own error: what a step that small changes is all but
  // linear, and one far smaller would be lost in the search's tolerance.
  std::vector<ReachPart> moved;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (points_[i].error <= 0) continue;
    std::vector<LossPoint> up = points_, down = points_;
    up[i].loss *= std::exp(0.5 * points_[i].error);
    down[i].loss *= std::exp(-0.5 * points_[i].error);
    moved.push_back({std::pow(fitted(up, c) - fitted(down, c), 2), points_[i].df});
  }
  return reach_of(moved, source, level);
}

}  // namespace scalelaw
