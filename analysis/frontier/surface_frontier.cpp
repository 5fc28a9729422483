#include "analysis/frontier/surface_frontier.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/robust_refine.h"
#include "analysis/fitting/variable_projection.h"

namespace scalelaw {
namespace {

constexpr std::size_t kOneStartSuffices = 60;  // as bootstraps of the robust fit were measured

FitResult first_fit(const FitData& data, ApproachKind kind, double huber_delta) {
  if (kind == ApproachKind::kVariableProjection) {
    return fit_least_squares(chinchilla_law(), data, {.space = ErrorSpace::kLoss});
  }
  return fit_robust(chinchilla_law(), data,
                    {.huber_delta = kind == ApproachKind::kHuber ? huber_delta : kLeastSquares});
}

// Near the fit of all first: a full grid for each of thousands of refits would cost six times as
// much.
FitResult project_near(const FitData& data, ErrorSpace space, const std::vector<double>& start) {
  constexpr double kFactor = 2.5;
  VariableProjectionOptions near{.space = space, .grid = 5};
  near.exponent_min = std::min(start[0], start[1]) / kFactor;
  near.exponent_max = std::max(start[0], start[1]) * kFactor;
  FitResult found = fit_least_squares(chinchilla_law(), data, near);
  if (has_curve(found.status)) return found;
  return fit_least_squares(chinchilla_law(), data, {.space = space});
}

// With other weights, from the fit of all.
FitResult refit(const FitData& data, ApproachKind kind, double huber_delta,
                const std::vector<double>& start) {
  if (kind == ApproachKind::kVariableProjection) {
    return project_near(data, ErrorSpace::kLoss, start);
  }
  const RefineOptions options{.huber_delta =
                                  kind == ApproachKind::kHuber ? huber_delta : kLeastSquares};
  FitResult best = refine(chinchilla_law(), data, start, options);
  if (kind != ApproachKind::kHuber || data.rows() >= kOneStartSuffices) return best;
  const FitResult projected = project_near(data, ErrorSpace::kRelative, start);
  if (projected.theta.empty()) return best;
  FitResult other = refine(chinchilla_law(), data, projected.theta, options);
  return has_curve(other.status) && (!has_curve(best.status) || other.objective < best.objective)
             ? other
             : best;
}

// Runs as 0 to runs - 1.
struct Clusters {
  std::vector<int> of;
  int count = 0;
};

Clusters clusters_of(const FrontierData& data) {
  Clusters clusters;
  std::map<int, int> number;
  for (const FrontierPoint& p : data.points) {
    clusters.of.push_back(number.try_emplace(p.run, static_cast<int>(number.size())).first->second);
  }
  clusters.count = static_cast<int>(number.size());
  return clusters;
}

bool usable(const FitResult& fit) {
  return (fit.status == FitStatus::kConverged || fit.status == FitStatus::kAtBound) &&
         fit.theta[0] > 0 && fit.theta[1] > 0;
}

// The exponent, then ln N*, ln D* and ln L* of each budget.
std::vector<double> statistics(const FitResult& fit, LogCentre centre, const ComputeLaw& compute,
                               std::span<const double> budgets) {
  std::vector<double> values = {optimum_exponent(fit.theta, compute)};
  for (const double c : budgets) {
    const OptimumOnSurface best = optimum_on_surface(fit.theta, centre, compute, std::log(c));
    values.insert(values.end(), {best.ln_n, best.ln_d, best.ln_loss});
  }
  return values;
}

// Beyond it groups of runs are left out: a refit for each run would cost their number squared.
constexpr int kMostLeftOut = 250;

// In which group each cluster is left out, drawn without replacement; alone where they are few.
std::vector<int> groups_of(int clusters) {
  std::vector<int> group(static_cast<std::size_t>(clusters));
  for (int c = 0; c < clusters; ++c) group[static_cast<std::size_t>(c)] = c % kMostLeftOut;
  if (clusters <= kMostLeftOut) return group;
  std::mt19937_64 stream(1);
  for (std::size_t left = group.size(); left > 1; --left) {
    std::swap(group[left - 1], group[stream() % left]);
  }
  return group;
}

// Standard errors of the statistics; empty where some run cannot be spared.
std::vector<double> jackknife(const FitData& data, const Clusters& clusters,
                              const std::function<FitResult(const FitData&)>& fit_again,
                              const std::vector<double>& of_all,
                              const std::function<std::vector<double>(const FitResult&)>& look) {
  std::vector<double> squares(of_all.size(), 0);
  const std::vector<int> group = groups_of(clusters.count);
  const int groups = std::min(clusters.count, kMostLeftOut);
  for (int left_out = 0; left_out < groups; ++left_out) {
    FitData others = data;
    for (std::size_t i = 0; i < others.rows(); ++i) {
      if (group[static_cast<std::size_t>(clusters.of[i])] == left_out) others.weight[i] = 0;
    }
    const FitResult fit = fit_again(others);
    if (!usable(fit)) return {};
    const std::vector<double> values = look(fit);
    for (std::size_t k = 0; k < values.size(); ++k) {
      squares[k] += std::pow(values[k] - of_all[k], 2);
    }
  }
  for (double& s : squares) s = std::sqrt(s * (groups - 1) / groups);
  return squares;
}

Interval exponential(const Interval& of_logs) {
  return {std::exp(of_logs.low), std::exp(of_logs.high)};
}

// What the replicates and the runs left out say of statistic k, which is a logarithm but for the
// first.
Estimate estimate_of(std::size_t k, double value, std::optional<double> reach,
                     const BootstrapResult& drawn, double level) {
  const bool log = k > 0;
  Estimate e{log ? std::exp(value) : value, std::nullopt, std::nullopt};
  if (reach) {
    const Interval interval{value - *reach, value + *reach};
    e.interval = log ? exponential(interval) : interval;
  }
  if (const auto percentiles = drawn.interval(static_cast<int>(k), level)) {
    e.bootstrap = log ? exponential(*percentiles) : *percentiles;
  }
  return e;
}

}  // namespace

double optimum_exponent(std::span<const double> theta, const ComputeLaw& compute) {
  return theta[1] / (theta[0] + (1 + compute.s) * theta[1]);
}

OptimumOnSurface optimum_on_surface(std::span<const double> theta, LogCentre centre,
                                    const ComputeLaw& compute, double ln_c) {
  const double alpha = theta[0], beta = theta[1];
  const double ln_a = theta[2] + alpha * centre.ln_n, ln_b = theta[3] + beta * centre.ln_d;
  const double ratio = std::log(alpha / ((1 + compute.s) * beta)) + ln_a - ln_b;
  OptimumOnSurface best;
  best.ln_n = (ratio + beta * (ln_c - compute.ln_k)) / (alpha + (1 + compute.s) * beta);
  best.ln_d = compute.ln_d(ln_c, best.ln_n);
  best.ln_loss =
      chinchilla_law().ln_loss(theta, {best.ln_n - centre.ln_n, best.ln_d - centre.ln_d});
  return best;
}

SurfaceFrontier surface_frontier(const FrontierData& data, const ComputeLaw& compute,
                                 ApproachKind kind, const SurfaceOptions& options) {
  SurfaceFrontier found;
  Approach& approach = found.approach;
  approach.kind = kind;
  approach.runs = data.runs();
  found.data = FitData(data.observations());
  found.fit = first_fit(found.data, kind, options.huber_delta);
  approach.status = found.fit.status;
  approach.why = found.fit.why;
  if (!approach.stands()) return found;
  if (!(found.fit.theta[0] > 0 && found.fit.theta[1] > 0)) {
    approach.status = FitStatus::kDegenerate;
    approach.why = "the loss does not fall with both N and D";
    return found;
  }
  const auto [least, most] = std::ranges::minmax(data.points, {}, &FrontierPoint::c);
  approach.least_budget = least.c;
  approach.most_budget = most.c;
  const auto look = [&](const FitResult& fit) {
    return statistics(fit, found.data.centre, compute, options.budgets);
  };
  const auto fit_again = [&](const FitData& weighed) {
    return refit(weighed, kind, options.huber_delta, found.fit.theta);
  };
  const std::vector<double> values = look(found.fit);
  const Clusters clusters = clusters_of(data);
  const int df = clusters.count - chinchilla_law().parameters();
  std::vector<double> errors;
  if (options.leave_out_runs && df > 0 && approach.status != FitStatus::kNotIdentified) {
    errors = jackknife(found.data, clusters, fit_again, values, look);
    if (errors.empty()) approach.remarks.push_back("without one of its runs L(N, D) has no fit");
  }
  BootstrapResult drawn;
  if (options.bootstrap.replicates > 0 && df > 0) {
    drawn = bootstrap(clusters.of, clusters.count, options.bootstrap,
                      [&](std::span<const double> weights) {
                        FitData replicate = found.data;
                        replicate.weight.assign(weights.begin(), weights.end());
                        const FitResult fit = fit_again(replicate);
                        if (fit.status == FitStatus::kNotConverged) {
                          return Replicate{Replicate::Outcome::kStuck, {}};
                        }
                        if (!usable(fit)) return Replicate{};
                        return Replicate{Replicate::Outcome::kFitted, look(fit)};
                      });
  }
  found.stuck = drawn.stuck;
  found.degenerate = drawn.degenerate;
  const auto of = [&](std::size_t k) {
    std::optional<double> reach;
    if (!errors.empty()) {
      const int known = std::min(df, kMostLeftOut - 1);
      reach = student_t_quantile(0.5 + options.level / 2, known) * errors[k];
    }
    return estimate_of(k, values[k], reach, drawn, options.level);
  };
  approach.exponent = of(0);
  approach.d_exponent = 1 - (1 + compute.s) * approach.exponent.value;
  approach.coefficient =
      std::exp(optimum_on_surface(found.fit.theta, found.data.centre, compute, 0).ln_n);
  for (std::size_t b = 0; b < options.budgets.size(); ++b) {
    const double c = options.budgets[b];
    approach.at.push_back({c, of(3 * b + 1), of(3 * b + 2), of(3 * b + 3), true,
                           c < least.c / (1 + 1e-9) || c > most.c * (1 + 1e-9)});
  }
  return found;
}

}  // namespace scalelaw
