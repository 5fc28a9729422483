#include "analysis/arm_laws.h"

#include <algorithm>
#include <cmath>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/robust_refine.h"

namespace scalelaw {
namespace {

// p of the t test of the quadratic coefficient in a parabola through the cell means.
void test_curvature(const std::vector<LinePoint>& points, PowerLawFit& fit) {
  if (fit.sizes < kFewestSizesForFloor) return;
  const Curvature curvature = fit_curvature(points);
  fit.curvature = curvature.value;
  const int df = fit.sizes - 3;
  const double variance = curvature.weighted_rss / df * curvature.variance_factor;
  if (curvature.weighted_rss <= 1e-24 * fit.line.sum_weight) return;
  const double t = curvature.value / std::sqrt(variance);
  fit.curvature_p = 2 * (1 - student_t_cdf(std::abs(t), df));
}

void fit_robust_line(const std::vector<SizeCell>& cells, const LawOptions& options,
                     PowerLawFit& fit) {
  if (fit.sizes < kFewestSizesForPowerLaw) return;
  const RunClusters runs = run_clusters(cells);
  fit.bootstrap_by_size = runs.by_size;
  const FitData data(runs.observations);
  fit.huber_delta = default_huber_delta(power_law(), data);
  const RefineOptions refine_options{.huber_delta = fit.huber_delta};
  const FitResult best = fit_robust(power_law(), data, refine_options);
  fit.robust_status = best.status;
  if (best.status != FitStatus::kConverged) return;
  fit.robust_slope = best.theta[0];
  // The Huber objective of a straight line is convex: one warm start suffices at any size.
  const BootstrapResult result = bootstrap(
      runs.cluster, runs.clusters, options.bootstrap(), [&](std::span<const double> weights) {
        FitData replicate = data;
        replicate.weight.assign(weights.begin(), weights.end());
        if (replicate.distinct_scales() < kFewestSizesForPowerLaw) return Replicate{};
        const FitResult found = refine(power_law(), replicate, best.theta, refine_options);
        if (found.status != FitStatus::kConverged) {
          return Replicate{Replicate::Outcome::kStuck, {}};
        }
        return Replicate{Replicate::Outcome::kFitted, {found.theta[0]}};
      });
  fit.bootstrap_replicates = result.replicates;
  fit.bootstrap_stuck = result.stuck;
  fit.bootstrap_degenerate = result.degenerate;
  fit.bootstrap_interval = result.interval(0, options.level);
}

void add_local_slopes(ArmLaws& laws) {
  const SeedNoise& seed = laws.noise.seed;
  for (std::size_t i = 1; i < laws.cells.size(); ++i) {
    const SizeCell &low = laws.cells[i - 1], &high = laws.cells[i];
    const double step = std::log(high.n / low.n);
    if (step == 0) continue;  // two recipes, equal by this convention of N alone
    LocalSlope local{low.n, high.n, (low.mean_ln_loss - high.mean_ln_loss) / step, {}};
    if (seed.df > 0) {
      local.standard_error =
          seed.sd_ln_loss * std::sqrt(1.0 / low.seeds() + 1.0 / high.seeds()) / step;
    }
    laws.local_slopes.push_back(local);
  }
}

}  // namespace

PowerLawFit fit_line_of(const std::vector<SizeCell>& cells,
                        const std::vector<WindowSeries>& windows, double level) {
  PowerLawFit fit;
  fit.sizes = static_cast<int>(cells.size());
  for (const SizeCell& c : cells) fit.runs += c.seeds();
  fit.df = fit.sizes - 2;
  if (fit.sizes < kFewestSizesForPowerLaw) {
    fit.why = std::to_string(fit.sizes) + (fit.sizes == 1 ? " size" : " sizes") +
              "; a power law with an interval needs at least " +
              std::to_string(kFewestSizesForPowerLaw);
    return fit;
  }
  const std::vector<LinePoint> points = line_points(cells);
  fit.line = fit_line(points);
  fit.slope = -fit.line.slope;
  const double scale = fit.line.weighted_rss / fit.df;
  fit.residual_sd = std::sqrt(scale * fit.sizes / fit.line.sum_weight);
  const double text = text_variance(line_series(windows, cells, fit.line.centre_x)).slope;
  fit.slope_standard_error = std::sqrt(scale / fit.line.sum_xx + text);
  fit.centre_standard_error = std::sqrt(scale / fit.line.sum_weight);
  const double reach = student_t_quantile(0.5 + 0.5 * level, fit.df) * fit.slope_standard_error;
  fit.slope_interval = {fit.slope - reach, fit.slope + reach};
  fit.n_c = std::exp(fit.line.centre_x + fit.line.centre_y / fit.slope);
  fit.status = fit.slope > 0 ? FitStatus::kConverged : FitStatus::kDegenerate;
  if (fit.slope <= 0) fit.why = "the loss does not fall with size";
  test_curvature(points, fit);
  return fit;
}

double PowerLawFit::ln_loss_at(double n) const {
  return line.at(std::log(n));
}

double PowerLawFit::standard_error_at(double n) const {
  return std::hypot(centre_standard_error, slope_standard_error * (std::log(n) - line.centre_x));
}

double ArmLaws::decades() const {
  return cells.empty() ? 0 : std::log10(cells.back().n / cells.front().n);
}

std::vector<ArmLaws> fit_arms(const RunTable& table, NCount n_count, const LawOptions& options) {
  Selection selection = options.selection;
  selection.n_count = n_count;
  std::vector<ArmLaws> all;
  std::vector<std::vector<SizeCell>> cells;
  bool evaluation_known = true;
  for (const std::string& arm : table.arms()) {
    ArmLaws laws;
    laws.arm = arm;
    laws.n_count = n_count;
    cells.push_back(size_cells(table, arm, selection));
    laws.windows = relative_windows(table, cells.back(), selection);
    // An arm without windows would otherwise weigh more than one with them.
    evaluation_known = evaluation_known && !laws.windows.empty();
    all.push_back(std::move(laws));
  }
  for (std::size_t k = 0; evaluation_known && k < all.size(); ++k) {
    set_evaluation_variances(all[k].windows, cells[k]);
  }
  CellNoise noise = weigh_cells(cells);
  noise.evaluation_known = evaluation_known;
  for (std::size_t k = 0; k < all.size(); ++k) {
    ArmLaws& laws = all[k];
    laws.cells = std::move(cells[k]);
    laws.noise = noise;
    add_local_slopes(laws);
    laws.power = fit_line_of(laws.cells, laws.windows, options.level);
    fit_robust_line(laws.cells, options, laws.power);
    laws.floor = fit_floor(laws.cells, options.level, options.bootstrap());
  }
  return all;
}

}  // namespace scalelaw
