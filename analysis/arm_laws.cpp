#include "analysis/arm_laws.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/block_error.h"
#include "analysis/crossing.h"
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

// Where the line reaches ln L = 0: it "crosses" a level known exactly.
void set_n_c(double t, const TextVariance& text, double scale, PowerLawFit& fit) {
  fit.n_c = std::exp(fit.line.centre_x + fit.line.centre_y / fit.slope);
  const CrossingSet set = crossing_set({.slope_difference = fit.slope,
                                        .ln_loss_difference = fit.line.centre_y,
                                        .at_ln_n = fit.line.centre_x,
                                        .level_variance_a = scale / fit.line.sum_weight,
                                        .slope_variance_a = scale / fit.line.sum_xx,
                                        .centre_ln_n_b = fit.line.centre_x,
                                        .text_level_variance = text.level,
                                        .text_slope_variance = text.slope,
                                        .text_covariance = text.covariance,
                                        .t = t});
  if (set.kind == CrossingSet::Kind::kInterval && std::isfinite(set.high))
    fit.n_c_interval = {set.low, set.high};
}

// Runs without parameters by a count of N, in words.
std::string without_parameters(const RunTable& table, const std::string& arm, NCount n_count) {
  std::string runs;
  int number = 0;
  for (const RunRow& row : table.rows) {
    if (row.arm != arm || row.n(n_count) > 0) continue;
    runs += (++number == 1 ? "" : ", ") + row.folder_name;
  }
  if (number == 0) return "";
  return std::to_string(number) + (number == 1 ? " run has" : " runs have") +
         " no parameters by the count " + std::string(name(n_count)) +
         " and no place on that axis: " + runs;
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
  const TextVariance text = text_variance(line_series(windows, cells, fit.line.centre_x));
  fit.slope_standard_error = std::sqrt(scale / fit.line.sum_xx + text.slope);
  fit.centre_standard_error = std::sqrt(scale / fit.line.sum_weight + text.level);
  fit.centre_slope_covariance = text.covariance;
  fit.status = FitStatus::kDegenerate;
  if (!std::isfinite(fit.slope) || !std::isfinite(fit.slope_standard_error)) {
    fit.why = "the sizes do not determine a line";
    return fit;
  }
  fit.interval_df = satterthwaite_df(
      std::array{VariancePart{scale / fit.line.sum_xx, static_cast<double>(fit.df)},
                 VariancePart{text.slope, kBlockDf}});
  const double t = student_t_quantile(0.5 + 0.5 * level, fit.interval_df);
  const double reach = t * fit.slope_standard_error;
  fit.slope_interval = {fit.slope - reach, fit.slope + reach};
  test_curvature(points, fit);
  if (fit.slope <= 0) {
    fit.why = fit.slope_interval.high < 0 ? "the loss rises with size"
                                          : "the loss is not shown to fall with size";
    return fit;
  }
  fit.status = FitStatus::kConverged;
  set_n_c(t, text, scale, fit);
  return fit;
}

double PowerLawFit::ln_loss_at(double n) const {
  return line.at(std::log(n));
}

double PowerLawFit::standard_error_at(double n) const {
  const double x = std::log(n) - line.centre_x;
  return std::sqrt(std::pow(centre_standard_error, 2) + std::pow(slope_standard_error * x, 2) -
                   2 * x * centre_slope_covariance);
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
    laws.left_out = mixed_recipes(table, arm, n_count);
    cells.emplace_back();
    if (laws.left_out.empty()) {
      laws.left_out = without_parameters(table, arm, n_count);
      cells.back() = size_cells(table, arm, selection);
    }
    laws.windows = relative_windows(table, cells.back(), selection);
    // An arm without windows would otherwise weigh more than one with them.
    evaluation_known = evaluation_known && (cells.back().empty() || !laws.windows.empty());
    all.push_back(std::move(laws));
  }
  for (std::size_t k = 0; k < all.size(); ++k) {
    // The text is counted in every arm or in none: intervals stand side by side.
    if (!evaluation_known) all[k].windows.clear();
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
