#include "analysis/compare.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/crossing.h"
#include "analysis/equal_size.h"
#include "analysis/fitting/bootstrap.h"
#include "analysis/fitting/distributions.h"
#include "analysis/fitting/variable_projection.h"

namespace scalelaw {
namespace {

constexpr double kPower = 0.8;

struct PooledLine {
  double sum_xx_a = 0, sum_xx_b = 0;
  double residual_variance = 0;  // of cell means, both arms
};

PooledLine pool(const ArmLaws& a, const ArmLaws& b, int df) {
  PooledLine pooled;
  double rss = 0;
  for (const ArmLaws* laws : {&a, &b}) {
    double& sum_xx = laws == &a ? pooled.sum_xx_a : pooled.sum_xx_b;
    for (const SizeCell& c : laws->cells) {
      sum_xx += std::pow(std::log(c.n) - laws->power.centre_ln_n, 2);
      rss += std::pow(c.mean_ln_loss - laws->power.ln_loss_at(c.n), 2);
    }
  }
  pooled.residual_variance = rss / df;
  return pooled;
}

void compare_slopes(const ArmLaws& a, const ArmLaws& b, Comparison& out) {
  out.df = a.power.sizes + b.power.sizes - 4;
  const PooledLine pooled = pool(a, b, out.df);
  out.slope_a = a.power.slope;
  out.slope_b = b.power.slope;
  out.difference = out.slope_a - out.slope_b;
  out.standard_error =
      std::sqrt(pooled.residual_variance * (1 / pooled.sum_xx_a + 1 / pooled.sum_xx_b));
  const double t = student_t_quantile(0.5 + 0.5 * out.level, out.df);
  out.interval = {out.difference - t * out.standard_error, out.difference + t * out.standard_error};
  if (out.standard_error > 0) {
    out.f = std::pow(out.difference / out.standard_error, 2);
    out.p = f_upper_tail(out.f, 1, out.df);
    out.detectable = detectable_effect(out.standard_error, out.df, 1 - out.level, kPower);
  } else {
    out.p = out.difference == 0 ? 1 : 0;
  }
  out.p_holm = out.p;
  out.equivalence_margin = std::abs(out.difference) +
                           student_t_quantile(1 - 0.05 / out.pairs, out.df) * out.standard_error;
  out.crossing =
      crossing_set({.slope_difference = out.difference,
                    .ln_loss_difference =
                        a.power.centre_ln_loss - b.power.ln_loss_at(std::exp(a.power.centre_ln_n)),
                    .at_ln_n = a.power.centre_ln_n,
                    .level_variance_a = pooled.residual_variance / a.power.sizes,
                    .level_variance_b = pooled.residual_variance / b.power.sizes,
                    .slope_variance_a = pooled.residual_variance / pooled.sum_xx_a,
                    .slope_variance_b = pooled.residual_variance / pooled.sum_xx_b,
                    .centre_ln_n_b = b.power.centre_ln_n,
                    .t = t});
}

// Runs of both arms drawn together, so that a replicate keeps no arm's count fixed by force.
void bootstrap_difference(const RunTable& table, const ArmLaws& a, const ArmLaws& b,
                          const LawOptions& options, Comparison& out) {
  struct Arm {
    FitData data;
    std::vector<double> theta;
    double delta;
  };
  std::vector<Arm> arms;
  std::vector<int> cluster;
  for (const ArmLaws* laws : {&a, &b}) {
    std::vector<Observation> runs;
    for (const SizeCell& c : laws->cells) {
      for (const std::size_t row : c.rows) {
        const Selection& s = options.selection;
        runs.push_back({c.n, 1, table.rows[row].loss(s.test_set, s.metric), 1});
        cluster.push_back(static_cast<int>(cluster.size()));
      }
    }
    const FitData data(runs);
    const FitResult best = fit_robust(power_law(), data, {.huber_delta = laws->power.huber_delta});
    if (best.status != FitStatus::kConverged) return;
    arms.push_back({data, best.theta, laws->power.huber_delta});
  }
  const auto refit = [&](std::span<const double> weights) {
    double slopes[2] = {0, 0};
    std::size_t first = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      FitData replicate = arms[k].data;
      const auto own = weights.subspan(first, replicate.rows());
      first += replicate.rows();
      replicate.weight.assign(own.begin(), own.end());
      if (replicate.distinct_scales() < kFewestSizesForPowerLaw) return Replicate{};
      const FitResult fit =
          refine(power_law(), replicate, arms[k].theta, {.huber_delta = arms[k].delta});
      if (fit.status != FitStatus::kConverged) return Replicate{Replicate::Outcome::kStuck, {}};
      slopes[k] = fit.theta[0];
    }
    return Replicate{Replicate::Outcome::kFitted, {slopes[0] - slopes[1]}};
  };
  const BootstrapResult result = bootstrap(cluster, static_cast<int>(cluster.size()),
                                           {.replicates = options.bootstrap_replicates,
                                            .seed = options.seed,
                                            .threads = options.threads},
                                           refit);
  const auto low = result.quantile(0, 0.5 - 0.5 * out.level);
  const auto high = result.quantile(0, 0.5 + 0.5 * out.level);
  if (low && high) out.bootstrap_interval = Interval{*low, *high};
}

// Smallest total residual sum of squares with one exponent for both arms, relative errors.
FloorComparison compare_with_floors(const ArmLaws& a, const ArmLaws& b) {
  FloorComparison out;
  std::vector<FitData> data;
  double free_rss = 0;
  for (const ArmLaws* laws : {&a, &b}) {
    std::vector<Observation> means;
    for (const SizeCell& c : laws->cells) means.push_back({c.n, 1, std::exp(c.mean_ln_loss), 1});
    data.emplace_back(means);
    const FitResult fit = fit_least_squares(power_law_with_floor(), data.back());
    if (fit.status != FitStatus::kConverged) {
      out.status = fit.status;
      out.why = laws->arm + ": " + fit.why;
      return out;
    }
    free_rss += fit.objective;
  }
  out.df = static_cast<int>(a.cells.size() + b.cells.size()) - 6;
  const auto shared_rss = [&](double alpha) {
    double rss = 0;
    for (const FitData& d : data) {
      const FitResult fit = fit_least_squares(power_law_with_floor(), d, {.fixed_exponent = alpha});
      rss += fit.theta.empty() ? 1e300 : fit.objective;
    }
    return rss;
  };
  double best = 0.02;
  for (int i = 0; i <= 120; ++i) {
    const double alpha = 0.02 * std::pow(125.0, i / 120.0);
    if (shared_rss(alpha) < shared_rss(best)) best = alpha;
  }
  double low = best / 1.05, high = best * 1.05;  // a golden section between grid neighbours
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  while (high - low > 1e-8) {
    const double left = high - golden * (high - low), right = low + golden * (high - low);
    (shared_rss(left) < shared_rss(right) ? high : low) =
        shared_rss(left) < shared_rss(right) ? right : left;
  }
  out.shared_alpha = 0.5 * (low + high);
  const double excess = std::max(shared_rss(out.shared_alpha) - free_rss, 0.0);
  out.status = FitStatus::kConverged;
  out.f = excess / (free_rss / out.df);
  out.p = f_upper_tail(out.f, 1, out.df);
  return out;
}

void warn_of_ranges(const ArmLaws& a, const ArmLaws& b, Comparison& out) {
  if (out.n_low >= out.n_high) {
    out.warnings.push_back("the arms share no range of N: their slopes belong to different sizes");
  } else if (std::max(a.cells.front().n / b.cells.front().n,
                      b.cells.front().n / a.cells.front().n) > 2 ||
             std::max(a.cells.back().n / b.cells.back().n, b.cells.back().n / a.cells.back().n) >
                 2) {
    out.warnings.push_back(
        "the arms' ranges of N differ by more than a factor of 2 at an end: where a power law "
        "bends, slopes over different ranges differ without a difference between the arms");
  }
}

void warn_of_shared_runs(const RunTable& table, const ArmLaws& a, const ArmLaws& b,
                         Comparison& out) {
  std::set<std::string> of_a;
  for (const SizeCell& c : a.cells) {
    for (const std::size_t row : c.rows) of_a.insert(table.rows[row].record.content_hash);
  }
  int shared = 0;
  for (const SizeCell& c : b.cells) {
    for (const std::size_t row : c.rows)
      shared += of_a.contains(table.rows[row].record.content_hash);
  }
  if (shared == 0) return;
  out.warnings.push_back(a.arm + " and " + b.arm + " share " + std::to_string(shared) +
                         (shared == 1 ? " run" : " runs") +
                         ": the tests take the arms for independent");
}

}  // namespace

Comparison compare_arms(const RunTable& table, const ArmLaws& a, const ArmLaws& b,
                        const LawOptions& options, int pairs) {
  Comparison out;
  out.pairs = pairs;
  out.level = 1 - (1 - options.level) / pairs;
  out.arm_a = a.arm;
  out.arm_b = b.arm;
  out.seed_noise = pooled_seed_noise({&a, &b});
  if (!a.cells.empty() && !b.cells.empty()) {
    out.n_low = std::max(a.cells.front().n, b.cells.front().n);
    out.n_high = std::min(a.cells.back().n, b.cells.back().n);
    out.at_equal_n = equal_size_differences(a, b, out.seed_noise);
    out.largest = paired_windows(table, a, b, options.selection);
  }
  for (const ArmLaws* laws : {&a, &b}) {
    if (laws->power.sizes >= kFewestSizesForPowerLaw) continue;
    out.why = "arm " + laws->arm + ": " + laws->power.why;
    return out;
  }
  out.status = FitStatus::kConverged;
  warn_of_ranges(a, b, out);
  warn_of_shared_runs(table, a, b, out);
  compare_slopes(a, b, out);
  const double estimate = out.crossing.estimate;
  out.crossing.estimate_measured = estimate >= out.n_low && estimate <= out.n_high;
  out.crossing.set_measured = out.crossing.kind == CrossingSet::Kind::kInterval &&
                              out.crossing.low >= out.n_low && out.crossing.high <= out.n_high;
  bootstrap_difference(table, a, b, options, out);
  if (a.power.sizes >= kFewestSizesForFloor && b.power.sizes >= kFewestSizesForFloor) {
    out.floor = compare_with_floors(a, b);
  } else {
    out.floor.why = "a floor needs at least " + std::to_string(kFewestSizesForFloor) + " sizes";
  }
  return out;
}

std::vector<Comparison> compare_all(const RunTable& table, const std::vector<ArmLaws>& laws,
                                    const LawOptions& options) {
  const auto arms = static_cast<int>(std::count_if(laws.begin(), laws.end(), [](const ArmLaws& l) {
    return l.power.sizes >= kFewestSizesForPowerLaw;
  }));
  const int pairs = std::max(arms * (arms - 1) / 2, 1);
  std::vector<Comparison> all;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    for (std::size_t j = i + 1; j < laws.size(); ++j) {
      all.push_back(compare_arms(table, laws[i], laws[j], options, pairs));
    }
  }
  std::vector<Comparison*> order;
  for (Comparison& c : all) {
    if (c.status == FitStatus::kConverged) order.push_back(&c);
  }
  std::sort(order.begin(), order.end(), [](auto* x, auto* y) { return x->p < y->p; });
  double running = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    running = std::max(running, order[k]->p * static_cast<double>(order.size() - k));
    order[k]->p_holm = std::min(running, 1.0);
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    for (std::size_t j = i + 1; j < laws.size(); ++j) {
      put_in_words(all[next++], laws[i], laws[j], options);
    }
  }
  return all;
}

}  // namespace scalelaw
