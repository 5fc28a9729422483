#include "analysis/fitting/new_point.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/robust_refine.h"

namespace scalelaw {
namespace {

constexpr double kFarthest = 3;  // in ln L

class NewPointProfile {
 public:
  NewPointProfile(const Law& law, const FitData& data, const FitResult& best, const NewPoint& point,
                  double allowed)
      : law_(law), data_(data), best_(best), allowed_(allowed) {
    data_.scale.push_back(point.at);
    data_.weight.push_back(point.weight);
    data_.ln_loss.push_back(0);
    data_.loss.push_back(1);
  }

  // Whether ln L there may be `ln_loss`. Warm-started from the value tried before on this side.
  bool allows(double ln_loss, std::vector<double>& warm) {
    data_.ln_loss.back() = ln_loss;
    data_.loss.back() = std::exp(ln_loss);
    FitResult found = least_squares_from(warm);
    // The optimum may lie in another valley than the value before: a flatter curve without a
    // floor, and the best fit's.
    std::vector<double> flat = best_.theta;
    for (int k = 0; k < law_.exponents(); ++k) flat[static_cast<std::size_t>(k)] *= 0.6;
    if (law_.has_floor()) flat.back() = kNoFloor;
    for (const std::vector<double>& start : {best_.theta, flat}) {
      if (excess(found) <= 0) break;
      FitResult other = least_squares_from(start);
      if (other.objective < found.objective) found = std::move(other);
    }
    warm = found.theta;
    return excess(found) <= 0;
  }

 private:
  FitResult least_squares_from(const std::vector<double>& start) const {
    FitResult found = refine(law_, data_, start, {.huber_delta = kLeastSquares});
    if (!std::isfinite(found.objective)) found.objective = std::numeric_limits<double>::max();
    return found;
  }
  double excess(const FitResult& found) const {
    return found.objective - best_.objective - allowed_;
  }

  const Law& law_;
  FitData data_;
  const FitResult& best_;
  double allowed_;
};

double end_of(NewPointProfile& profile, const FitResult& best, double centre, double step) {
  std::vector<double> warm = best.theta;
  double inside = centre, outside = centre + step;
  for (std::vector<double> trial = warm; profile.allows(outside, trial); trial = warm) {
    warm = trial;
    inside = outside;
    step *= 1.5;
    outside += step;
    if (std::abs(outside - centre) > kFarthest) {
      return std::copysign(std::numeric_limits<double>::infinity(), step);
    }
  }
  while (std::abs(outside - inside) > 1e-3 * std::abs(outside - centre)) {
    const double middle = 0.5 * (inside + outside);
    std::vector<double> trial = warm;
    if (profile.allows(middle, trial)) {
      inside = middle;
      warm = trial;
    } else {
      outside = middle;
    }
  }
  return outside;
}

}  // namespace

double allowed_rise(double rss, double df, const KnownNoise& known, double level) {
  const double by_residuals = f_quantile(level, 1, df) * rss / df;
  if (!(known.df > 0)) return by_residuals;
  const double pooled_df = df + known.df;
  const double pooled = (rss + known.df * known.variance) / pooled_df;
  return std::max(by_residuals, f_quantile(level, 1, pooled_df) * pooled);
}

std::optional<Interval> new_point_interval(const Law& law, const FitData& data,
                                           const FitResult& best, const NewPoint& point,
                                           double level) {
  const int df = static_cast<int>(std::lround(data.total_weight())) - law.parameters();
  if (!has_curve(best.status) || df < 1) return std::nullopt;
  const double centre = law.ln_loss(best.theta, point.at);
  // Without scatter the interval is as narrow as the search for its ends is fine.
  const double objective = std::max(best.objective, 1e-18 * data.total_weight());
  const KnownNoise known{point.weight * point.known.variance, point.known.df};
  // The objective is half the sum of squares.
  const double allowed = 0.5 * allowed_rise(2 * objective, df, known, level);
  NewPointProfile profile(law, data, best, point, allowed);
  const double step = std::sqrt(2 * allowed / point.weight);
  return Interval{end_of(profile, best, centre, -step), end_of(profile, best, centre, step)};
}

}  // namespace scalelaw
