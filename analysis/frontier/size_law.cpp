#include "analysis/frontier/size_law.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/fitting/robust_refine.h"
#include "analysis/fitting/variable_projection.h"
#include "analysis/weighted_line.h"

namespace scalelaw {

double SizeLaw::error_at(double ln_c) const {
  const double x = ln_c - centre_ln_c;
  return std::sqrt(std::max(0.0, level_variance + x * (2 * covariance + x * exponent_variance)));
}

double SizeLaw::coefficient() const {
  return std::exp(ln_n(0));
}

SizeLaw fit_size_law(std::span<const SizePoint> points, bool weighted, double noise_df) {
  SizeLaw law;
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
  if (known) {
    law.errors = LineErrors::kNoise;
    law.df = noise_df > 0 ? noise_df : std::numeric_limits<double>::infinity();
    double squares = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double of_slope = line[i].weight * (line[i].x - fitted.centre_x) / fitted.sum_xx;
      const double of_level = line[i].weight / fitted.sum_weight;
      const double variance = points[i].error * points[i].error;
      law.exponent_variance += of_slope * of_slope * variance;
      law.level_variance += of_level * of_level * variance;
      law.covariance += of_slope * of_level * variance;
      squares += std::pow(points[i].ln_n - fitted.at(points[i].ln_c), 2) / variance;
    }
    if (points.size() > 2) {
      law.scatter_ratio = std::sqrt(squares / static_cast<double>(points.size() - 2));
    }
  } else if (points.size() > 2) {
    law.errors = LineErrors::kScatter;
    law.df = static_cast<double>(points.size()) - 2;
    const double variance = fitted.weighted_rss / law.df;
    law.exponent_variance = variance / fitted.sum_xx;
    law.level_variance = variance / fitted.sum_weight;
  }
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

double LossLaw::error_at(double c) const {
  // Central differences over each point's own error: what a step that small changes is all but
  // linear, and one far smaller would be lost in the search's tolerance.
  double variance = 0;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (points_[i].error <= 0) continue;
    std::vector<LossPoint> up = points_, down = points_;
    up[i].loss *= std::exp(0.5 * points_[i].error);
    down[i].loss *= std::exp(-0.5 * points_[i].error);
    variance += std::pow(fitted(up, c) - fitted(down, c), 2);
  }
  return std::sqrt(variance);
}

}  // namespace scalelaw
