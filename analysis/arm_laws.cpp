#include "analysis/arm_laws.h"

#include <algorithm>
#include <cmath>

#include "analysis/fitting/bootstrap.h"
#include "analysis/fitting/distributions.h"

namespace scalelaw {
namespace {

std::vector<SizeCell> cells_of(const RunTable& table, const std::string& arm, NCount n_count,
                               const Selection& selection) {
  std::vector<SizeCell> cells;
  const auto recipe = [&](std::size_t i) -> auto& {
    return table.rows[i].record.recipe_hash;
  };
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const RunRow& row = table.rows[i];
    if (row.arm != arm) continue;
    const double n = row.n(n_count);
    auto cell = std::find_if(cells.begin(), cells.end(),
                             [&](auto& c) { return recipe(c.rows.front()) == recipe(i); });
    if (cell == cells.end()) {
      cells.push_back({});
      cell = std::prev(cells.end());
      cell->n = n;
    }
    cell->ln_losses.push_back(std::log(row.loss(selection.test_set, selection.metric)));
    cell->rows.push_back(i);
  }
  for (SizeCell& cell : cells) {
    for (const double value : cell.ln_losses) cell.mean_ln_loss += value / cell.seeds();
  }
  std::sort(cells.begin(), cells.end(), [](auto& a, auto& b) { return a.n < b.n; });
  return cells;
}

// p of the t test of the quadratic coefficient in a parabola through the cell means.
void test_curvature(const std::vector<SizeCell>& cells, PowerLawFit& fit) {
  const int sizes = static_cast<int>(cells.size());
  if (sizes < kFewestSizesForFloor) return;
  // Residuals of x^2 on (1, x), then of ln L on them: the partial regression.
  double sum_xx = 0, sum_x3 = 0, mean_x2 = 0;
  for (const SizeCell& c : cells) {
    const double x = std::log(c.n) - fit.centre_ln_n;
    sum_xx += x * x;
    sum_x3 += x * x * x;
  }
  mean_x2 = sum_xx / sizes;
  double sum_qq = 0, sum_qy = 0, sum_rr = 0;
  for (const SizeCell& c : cells) {
    const double x = std::log(c.n) - fit.centre_ln_n;
    const double q = x * x - mean_x2 - x * sum_x3 / sum_xx;
    const double residual = c.mean_ln_loss - fit.ln_loss_at(c.n);
    sum_qq += q * q;
    sum_qy += q * residual;
    sum_rr += residual * residual;
  }
  const double curvature = sum_qy / sum_qq;
  const double left = std::max(sum_rr - curvature * sum_qy, 0.0);
  fit.curvature = curvature;
  const int df = sizes - 3;
  if (left <= 1e-24) return;
  const double t = curvature / std::sqrt(left / df / sum_qq);
  fit.curvature_p = 2 * (1 - student_t_cdf(std::abs(t), df));
}

void fit_least_squares_line(const std::vector<SizeCell>& cells, double level, PowerLawFit& fit) {
  fit.sizes = static_cast<int>(cells.size());
  for (const SizeCell& c : cells) fit.runs += c.seeds();
  fit.df = fit.sizes - 2;
  if (fit.sizes < kFewestSizesForPowerLaw) {
    fit.why = std::to_string(fit.sizes) + (fit.sizes == 1 ? " size" : " sizes") +
              "; a power law with an interval needs at least " +
              std::to_string(kFewestSizesForPowerLaw);
    return;
  }
  for (const SizeCell& c : cells) {
    fit.centre_ln_n += std::log(c.n) / fit.sizes;
    fit.centre_ln_loss += c.mean_ln_loss / fit.sizes;
  }
  double sum_xx = 0, sum_xy = 0, rss = 0;
  for (const SizeCell& c : cells) {
    const double x = std::log(c.n) - fit.centre_ln_n;
    sum_xx += x * x;
    sum_xy += x * (c.mean_ln_loss - fit.centre_ln_loss);
  }
  fit.slope = -sum_xy / sum_xx;
  for (const SizeCell& c : cells) rss += std::pow(c.mean_ln_loss - fit.ln_loss_at(c.n), 2);
  fit.residual_sd = std::sqrt(rss / fit.df);
  fit.slope_standard_error = fit.residual_sd / std::sqrt(sum_xx);
  fit.centre_standard_error = fit.residual_sd / std::sqrt(fit.sizes);
  const double reach = student_t_quantile(0.5 + 0.5 * level, fit.df) * fit.slope_standard_error;
  fit.slope_interval = {fit.slope - reach, fit.slope + reach};
  fit.n_c = std::exp(fit.centre_ln_n + fit.centre_ln_loss / fit.slope);
  fit.status = fit.slope > 0 ? FitStatus::kConverged : FitStatus::kDegenerate;
  if (fit.slope <= 0) fit.why = "the loss does not fall with size";
  test_curvature(cells, fit);
}

void fit_robust_line(const std::vector<SizeCell>& cells, const LawOptions& options,
                     PowerLawFit& fit) {
  if (fit.sizes < kFewestSizesForPowerLaw) return;
  std::vector<Observation> runs;
  std::vector<int> cluster;
  fit.bootstrap_by_size = fit.sizes >= kFewestBootstrapClusters;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    for (const double ln_loss : cells[c].ln_losses) {
      cluster.push_back(static_cast<int>(fit.bootstrap_by_size ? c : runs.size()));
      runs.push_back({cells[c].n, 1, std::exp(ln_loss), 1});
    }
  }
  const FitData data(runs);
  fit.huber_delta = default_huber_delta(power_law(), data);
  const RefineOptions refine_options{.huber_delta = fit.huber_delta};
  const FitResult best = fit_robust(power_law(), data, refine_options);
  fit.robust_status = best.status;
  if (best.status != FitStatus::kConverged) return;
  fit.robust_slope = best.theta[0];
  // The Huber objective of a straight line is convex: one warm start suffices at any size.
  const int clusters = fit.bootstrap_by_size ? fit.sizes : fit.runs;
  const BootstrapResult result = bootstrap(
      cluster, clusters,
      {.replicates = options.bootstrap_replicates,
       .seed = options.seed,
       .threads = options.threads},
      [&](std::span<const double> weights) {
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
  const auto low = result.quantile(0, 0.5 - 0.5 * options.level);
  const auto high = result.quantile(0, 0.5 + 0.5 * options.level);
  if (low && high) fit.bootstrap_interval = Interval{*low, *high};
}

// Of cell means about the fitted curve, ln L.
double residual_sd(const Law& law, const FitData& data, const std::vector<double>& theta) {
  const double df = static_cast<double>(data.rows()) - law.parameters();
  if (df <= 0) return 0;
  double rss = 0;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    rss += std::pow(data.ln_loss[i] - law.ln_loss(theta, data.scale[i]), 2);
  }
  return std::sqrt(rss / df);
}

FloorFit fit_floor(const std::vector<SizeCell>& cells, double level) {
  FloorFit fit;
  std::vector<Observation> means;
  for (const SizeCell& c : cells) means.push_back({c.n, 1, std::exp(c.mean_ln_loss), 1});
  const FitData data(means);
  fit.centre = data.centre;
  const Law& law = power_law_with_floor();
  fit.least_squares = fit_robust(law, data, {.huber_delta = kLeastSquares});
  if (!has_curve(fit.least_squares.status)) return fit;
  fit.huber_delta = default_huber_delta(law, data);
  fit.huber = fit_robust(law, data, {.huber_delta = fit.huber_delta});
  fit.floor = profile_floor(law, data, fit.least_squares, ProfileKind::kGaussian, 0, level);
  if (fit.huber_delta <= kLargestProfiledDelta * residual_sd(law, data, fit.least_squares.theta)) {
    fit.floor_huber =
        profile_floor(law, data, fit.huber, ProfileKind::kHuber, fit.huber_delta, level);
  }
  if (!fit.floor.high_bounded) return fit;
  const auto alpha_at = [&](double floor) {
    RefineOptions held{.huber_delta = kLeastSquares, .fixed_parameter = 2};
    held.fixed_value = floor > 0 ? std::log(floor) : kNoFloor;
    return refine(law, data, fit.least_squares.theta, held).theta[0];
  };
  fit.alpha_over_set =
      Interval{alpha_at(fit.floor.low_bounded ? fit.floor.low : 0), alpha_at(fit.floor.high)};
  return fit;
}

SeedNoise noise_of(const std::vector<SizeCell>& cells, double* sum_of_squares) {
  SeedNoise noise;
  for (const SizeCell& c : cells) {
    for (const double value : c.ln_losses) {
      *sum_of_squares += (value - c.mean_ln_loss) * (value - c.mean_ln_loss);
    }
    noise.df += c.seeds() - 1;
  }
  if (noise.df > 0) noise.sd_ln_loss = std::sqrt(*sum_of_squares / noise.df);
  return noise;
}

}  // namespace

double PowerLawFit::ln_loss_at(double n) const {
  return centre_ln_loss - slope * (std::log(n) - centre_ln_n);
}

double PowerLawFit::standard_error_at(double n) const {
  return std::hypot(centre_standard_error, slope_standard_error * (std::log(n) - centre_ln_n));
}

double FloorFit::e() const {
  return least_squares.theta.empty() || least_squares.status == FitStatus::kAtBound
             ? 0
             : std::exp(least_squares.theta.back());
}

double ArmLaws::decades() const {
  return cells.empty() ? 0 : std::log10(cells.back().n / cells.front().n);
}

ArmLaws fit_arm(const RunTable& table, const std::string& arm, NCount n_count,
                const LawOptions& options) {
  ArmLaws laws;
  laws.arm = arm;
  laws.n_count = n_count;
  laws.cells = cells_of(table, arm, n_count, options.selection);
  double sum_of_squares = 0;
  laws.seed_noise = noise_of(laws.cells, &sum_of_squares);
  for (std::size_t i = 1; i < laws.cells.size(); ++i) {
    const SizeCell &low = laws.cells[i - 1], &high = laws.cells[i];
    const double step = std::log(high.n / low.n);
    if (step == 0) continue;  // two recipes, equal by this convention of N alone
    LocalSlope local{low.n, high.n, (low.mean_ln_loss - high.mean_ln_loss) / step, {}};
    if (laws.seed_noise.df > 0) {
      local.standard_error =
          laws.seed_noise.sd_ln_loss * std::sqrt(1.0 / low.seeds() + 1.0 / high.seeds()) / step;
    }
    laws.local_slopes.push_back(local);
  }
  fit_least_squares_line(laws.cells, options.level, laws.power);
  fit_robust_line(laws.cells, options, laws.power);
  laws.floor = fit_floor(laws.cells, options.level);
  return laws;
}

SeedNoise pooled_seed_noise(const std::vector<const ArmLaws*>& arms) {
  double sum_of_squares = 0;
  SeedNoise noise;
  for (const ArmLaws* laws : arms) noise.df += noise_of(laws->cells, &sum_of_squares).df;
  if (noise.df > 0) noise.sd_ln_loss = std::sqrt(sum_of_squares / noise.df);
  return noise;
}

}  // namespace scalelaw
