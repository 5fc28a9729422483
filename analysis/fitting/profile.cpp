#include "analysis/fitting/profile.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/variable_projection.h"

namespace scalelaw {
namespace {

// With the floor held: from `warm`, else from off its path, the best fit with flatter exponents.
FitResult refine_at_floor(const Law& law, const FitData& data, const std::vector<double>& warm,
                          std::vector<double> best, double floor, RefineOptions options) {
  options.fixed_parameter = law.parameters() - 1;
  options.fixed_value = floor > 0 ? std::log(floor) : kNoFloor;
  FitResult held = refine(law, data, warm, options);
  if (has_curve(held.status)) return held;
  for (int k = 0; k < law.exponents(); ++k) best[static_cast<std::size_t>(k)] *= 0.6;
  return refine(law, data, std::move(best), options);
}

class FloorProfile {
 public:
  FloorProfile(const Law& law, const FitData& data, const FitResult& best, ProfileKind kind,
               double delta, double level)
      : law_(law), data_(data), best_(best), kind_(kind), rows_(data.total_weight()) {
    df_ = static_cast<int>(std::lround(rows_)) - law.parameters();
    options_.huber_delta = kind == ProfileKind::kGaussian ? kLeastSquares : delta;
    threshold_ = kind == ProfileKind::kGaussian && df_ > 0 ? f_quantile(level, 1, df_)
                                                           : chi_square_1_quantile(level);
  }
  int df() const { return df_; }

  int unconverged() const { return unconverged_; }

  // Above 0: outside the set. Warm-started from the nearest floor tried before on this side.
  double excess(double floor, std::vector<double>& warm) {
    const FitResult held = refine_at_floor(law_, data_, warm, best_.theta, floor, options_);
    if (!has_curve(held.status)) {
      ++unconverged_;
      return -threshold_;
    }
    warm = held.theta;
    if (kind_ == ProfileKind::kHuber) {
      return 2 * rows_ * std::log(std::max(held.objective / best_.objective, 1e-300)) - threshold_;
    }
    const double residual_variance = best_.objective / df_;
    return (held.objective - best_.objective) / residual_variance - threshold_;
  }

 private:
  const Law& law_;
  const FitData& data_;
  const FitResult& best_;
  ProfileKind kind_;
  double rows_;
  int df_ = 0;
  RefineOptions options_;
  double threshold_ = 0;
  int unconverged_ = 0;
};

// Steps from the optimum towards `end` in `steps` equal parts, then bisects the first crossing.
// false: no crossing before the end.
bool find_edge(FloorProfile& profile, std::vector<double> warm, double from, double end,
               double* edge) {
  constexpr int kSteps = 24;
  double inside = from;
  for (int i = 1; i <= kSteps; ++i) {
    double outside = from + (end - from) * i / kSteps;
    std::vector<double> trial = warm;
    if (profile.excess(outside, trial) <= 0) {
      inside = outside;
      warm = trial;
      continue;
    }
    for (int k = 0; k < 40; ++k) {
      const double middle = 0.5 * (inside + outside);
      std::vector<double> there = warm;
      if (profile.excess(middle, there) > 0) {
        outside = middle;
      } else {
        inside = middle;
        warm = there;
      }
    }
    *edge = 0.5 * (inside + outside);
    return true;
  }
  return false;
}

}  // namespace

ProfileInterval profile_floor(const Law& law, const FitData& data, const FitResult& best,
                              ProfileKind kind, double huber_delta, double level) {
  ProfileInterval interval;
  interval.status = best.status;
  if (!law.has_floor() || best.theta.empty() || !has_curve(best.status)) return interval;
  FloorProfile profile(law, data, best, kind, huber_delta, level);
  interval.residual_df = profile.df();
  if (profile.df() <= 0) return interval;
  double smallest = data.loss.front();
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (data.weight[i] > 0) smallest = std::min(smallest, data.loss[i]);
  }
  const double floor = best.status == FitStatus::kAtBound ? 0 : std::exp(best.theta.back());
  std::vector<double> start = best.theta;
  interval.low_bounded = floor > 0 && find_edge(profile, start, floor, 0, &interval.low);
  interval.high_bounded = find_edge(profile, start, floor, 0.9999 * smallest, &interval.high);
  interval.unconverged = profile.unconverged();
  return interval;
}

std::optional<Interval> exponent_over_set(const Law& law, const FitData& data,
                                          const FitResult& best, const ProfileInterval& floor) {
  if (!floor.high_bounded || best.theta.empty()) return std::nullopt;
  double ends[2] = {floor.low_bounded ? floor.low : 0, floor.high};
  for (double& end : ends) {
    const FitResult held =
        refine_at_floor(law, data, best.theta, best.theta, end, {.huber_delta = kLeastSquares});
    if (!has_curve(held.status)) return std::nullopt;
    end = held.theta.front();
  }
  return Interval{ends[0], ends[1]};
}

}  // namespace scalelaw
