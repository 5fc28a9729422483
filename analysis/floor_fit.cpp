#include "analysis/floor_fit.h"

#include <algorithm>
#include <cmath>

#include "analysis/fitting/robust_refine.h"
#include "analysis/run_clusters.h"

namespace scalelaw {
namespace {

// Below 60 points one warm start is stuck in 9 to 16% of replicates, so each has three: the best
// fit of all runs, a flatter curve on a lower floor, a steeper one on a higher. With more it has
// the first alone.
constexpr std::size_t kOneStartSuffices = 60;

FitResult refit(const Law& law, const FitData& replicate, const std::vector<double>& best,
                const RefineOptions& options) {
  std::vector<std::vector<double>> starts = {best};
  if (replicate.rows() < kOneStartSuffices) {
    double smallest = 1e300;
    for (std::size_t i = 0; i < replicate.rows(); ++i) {
      if (replicate.weight[i] > 0) smallest = std::min(smallest, replicate.loss[i]);
    }
    std::vector<double> flatter = best, steeper = best;
    flatter[0] *= 0.6;
    flatter.back() = std::log(0.3 * smallest);
    steeper[0] *= 1.6;
    steeper.back() = std::log(0.85 * smallest);
    starts.insert(starts.end(), {flatter, steeper});
  }
  FitResult found;
  for (const std::vector<double>& start : starts) {
    FitResult one = refine(law, replicate, start, options);
    if (one.status == FitStatus::kNotConverged) continue;
    if (found.theta.empty() || one.objective < found.objective) found = std::move(one);
  }
  return found;
}

FloorBootstrap bootstrap_floor(const std::vector<SizeCell>& cells, double level,
                               const BootstrapOptions& options) {
  const Law& law = power_law_with_floor();
  FloorBootstrap out;
  const RunClusters runs = run_clusters(cells);
  out.by_size = runs.by_size;
  const FitData data(runs.observations);
  const RefineOptions refine_options{.huber_delta = default_huber_delta(law, data)};
  const FitResult best = fit_robust(law, data, refine_options);
  if (!has_curve(best.status)) return out;
  const BootstrapResult result =
      bootstrap(runs.cluster, runs.clusters, options, [&](std::span<const double> weights) {
        FitData replicate = data;
        replicate.weight.assign(weights.begin(), weights.end());
        // As many sizes as parameters interpolate: no fit.
        if (replicate.distinct_scales() < kFewestSizesForFloor) return Replicate{};
        const FitResult found = refit(law, replicate, best.theta, refine_options);
        if (found.status == FitStatus::kDegenerate) return Replicate{};
        if (found.status == FitStatus::kAtBound) {
          return Replicate{Replicate::Outcome::kFitted, {0, found.theta[0]}};
        }
        if (found.status != FitStatus::kConverged) {
          return Replicate{Replicate::Outcome::kStuck, {}};
        }
        return Replicate{Replicate::Outcome::kFitted,
                         {std::exp(found.theta.back()), found.theta[0]}};
      });
  out.replicates = result.replicates;
  out.stuck = result.stuck;
  out.degenerate = result.degenerate;
  out.at_zero = static_cast<int>(std::count_if(result.fitted.begin(), result.fitted.end(),
                                               [](const auto& s) { return s[0] <= 0; }));
  out.e = result.interval(0, level);
  out.alpha = result.interval(1, level);
  return out;
}

}  // namespace

double FloorFit::e() const {
  return least_squares.theta.empty() || least_squares.status == FitStatus::kAtBound
             ? 0
             : std::exp(least_squares.theta.back());
}

FitData data_of_means(const std::vector<SizeCell>& cells) {
  double sum_weight = 0;
  for (const SizeCell& c : cells) sum_weight += 1 / c.variance;
  std::vector<Observation> means;
  for (const SizeCell& c : cells) {
    const double share = 1 / c.variance / sum_weight;
    means.push_back({c.n, 1, std::exp(c.mean_ln_loss), share * static_cast<double>(cells.size())});
  }
  return FitData(means);
}

FloorFit fit_floor(const std::vector<SizeCell>& cells, double level,
                   const BootstrapOptions& options) {
  FloorFit fit;
  const FitData data = data_of_means(cells);
  fit.centre = data.centre;
  const Law& law = power_law_with_floor();
  fit.least_squares = fit_robust(law, data, {.huber_delta = kLeastSquares});
  if (!has_curve(fit.least_squares.status)) return fit;
  fit.huber_delta = default_huber_delta(law, data);
  fit.huber = fit_robust(law, data, {.huber_delta = fit.huber_delta});
  fit.floor = profile_floor(law, data, fit.least_squares, ProfileKind::kGaussian, 0, level);
  fit.alpha_over_set = exponent_over_set(law, data, fit.least_squares, fit.floor);
  fit.bootstrap = bootstrap_floor(cells, level, options);
  return fit;
}

}  // namespace scalelaw
