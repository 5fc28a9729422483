#include "analysis/fitting/formula_intervals.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/find_edge.h"

namespace scalelaw {
namespace {

using Index = Eigen::Index;

OpenInterval interval_of(const Edge& low, const Edge& high, double lowest, double highest) {
  OpenInterval interval;
  interval.low_bounded = low.found;
  interval.low = low.found ? low.place : lowest;
  interval.high_bounded = high.found;
  interval.high = high.found ? high.place : highest;
  interval.unconverged = low.unconverged + high.unconverged;
  return interval;
}

// Different points among the rows of weight above 0; points[i] is that of row i.
int drawn_points(const std::vector<int>& points, std::span<const double> weights) {
  std::vector<bool> seen(points.size(), false);
  int count = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!(weights[i] > 0) || seen[static_cast<std::size_t>(points[i])]) continue;
    seen[static_cast<std::size_t>(points[i])] = true;
    ++count;
  }
  return count;
}

}  // namespace

FormulaProfile::FormulaProfile(const FormulaLaw& law, const FormulaData& data, ErrorKind kind,
                               const FormulaFit& fit, double allowed_rise)
    : law_(law),
      data_(data),
      kind_(kind),
      derivatives_(FormulaDerivatives::of(law.formula)),
      fit_(fit),
      allowed_(allowed_rise) {}

OpenInterval FormulaProfile::constant(std::size_t which) const {
  const FormulaConstant& constant = law_.constants[which];
  const FormulaObjective objective{law_, data_, kind_, 0, derivatives_ ? &*derivatives_ : nullptr};
  const std::vector<double>& best = fit_.found.u;
  std::vector<bool> held(best.size(), false);
  held[which] = true;
  const HoldAt hold = [&](double place, const std::vector<double>& warm) {
    std::vector<double> start = warm;
    start[which] = place;
    RefinedFormula found = refine_formula(objective, std::move(start), held);
    const bool converged = found.scaled_gradient <= kGradientTolerance * 100;
    return Held{2 * (found.objective - fit_.objective) - allowed_, std::move(found.u), converged};
  };
  std::vector<std::size_t> free = fit_.found.free();
  const auto place = std::find(free.begin(), free.end(), which);
  double step = 0.1;
  if (place != free.end()) {
    const double unit =
        unit_deviations(objective, best, free)[static_cast<std::size_t>(place - free.begin())];
    const bool linear = constant.transform == Transform::kLinear;
    const double longest = linear ? std::max(0.3, std::abs(best[which])) : 2;
    const double shortest = linear ? std::max(1e-9 * std::abs(best[which]), 1e-300) : 1e-9;
    step = std::clamp(unit * std::sqrt(allowed_), shortest, longest);
  }
  // 35 of ln: a factor of 1e15 from the best, and no row has anything left of a term.
  const bool ranged = constant.transform != Transform::kLogit;
  const double reach = constant.transform == Transform::kLinear ? 1e6 * step : 35;
  const double low = std::max(ranged ? constant.to_search(constant.low) : -35, best[which] - reach);
  const double high =
      std::min(ranged ? constant.to_search(constant.high) : 35, best[which] + reach);
  Edge below, above;
  if (best[which] > low) below = find_edge(hold, best, best[which], -step, low);
  if (best[which] < high) above = find_edge(hold, best, best[which], step, high);
  if (below.found) below.place = constant.from_search(below.place);
  if (above.found) above.place = constant.from_search(above.place);
  return interval_of(below, above, constant.low, constant.high);
}

OpenInterval FormulaProfile::value_at(const std::vector<double>& row) const {
  constexpr double kHeavy = 1e4;  // of all rows together: the curve goes through the new one
  const double best = law_.value(fit_.values, row);
  const bool in_ln = is_in_ln(kind_);
  const double infinite = std::numeric_limits<double>::infinity();
  if (!std::isfinite(best) || (in_ln && best <= 0)) {
    return {.low = in_ln ? 0 : -infinite, .high = infinite};
  }
  const FormulaObjective objective{law_, data_, kind_, 0, derivatives_ ? &*derivatives_ : nullptr};
  const HoldAt hold = [&](double place, const std::vector<double>& warm) {
    FormulaData bent = data_;
    bent.add(row, in_ln ? std::exp(place) : place, kHeavy * data_.total_weight());
    RefinedFormula found = refine_formula({law_, bent, kind_, 0, objective.derivatives}, warm);
    const bool converged = found.scaled_gradient <= kGradientTolerance * 100;
    const double there = law_.formula.value(
        [&] {
          std::vector<double> values;
          for (std::size_t k = 0; k < found.u.size(); ++k) {
            values.push_back(law_.constants[k].from_search(found.u[k]));
          }
          return values;
        }()
            .data(),
        row.data());
    // A value that no constants give is outside, however well the rows are met.
    const double missed = std::abs((in_ln ? std::log(there) : there) - place);
    const double rise = 2 * (objective.value(found.u.data()) - fit_.objective) - allowed_;
    const bool out = !(missed * missed < allowed_);
    return Held{out ? std::max(rise, allowed_) : rise, std::move(found.u), converged};
  };
  const double from = in_ln ? std::log(best) : best;
  const double step = std::max(0.5 * std::sqrt(allowed_), 1e-9 * objective.unit());
  const double reach = in_ln ? 3 : 20 * std::abs(best);
  Edge below = find_edge(hold, fit_.found.u, from, -step, from - reach);
  Edge above = find_edge(hold, fit_.found.u, from, step, from + reach);
  if (in_ln) {
    below.place = std::exp(below.place);
    above.place = std::exp(above.place);
  }
  return interval_of(below, above, in_ln ? 0 : -infinite, infinite);
}

double gaussian_rise(const FormulaFit& fit, double level) {
  const double df = std::max(fit.residual_df, 1);
  return f_quantile(level, 1, df) * 2 * fit.objective / df;
}

double assumed_rise(double sigma, double level) {
  return chi_square_1_quantile(level) * sigma * sigma;
}

NormalIntervals normal_intervals(const FormulaObjective& objective, const FormulaFit& fit,
                                 CovarianceKind kind, const std::vector<int>& cluster, int clusters,
                                 double level) {
  constexpr Index kFewestInside = 3;  // rows a constant
  constexpr double kSingular = 1e-13;
  const FormulaLaw& law = objective.law;
  std::vector<OpenInterval> intervals;
  for (const FormulaConstant& constant : law.constants) {
    intervals.push_back({.low = constant.low, .high = constant.high});
  }
  const std::vector<std::size_t> free = fit.found.free();
  const int df =
      kind == CovarianceKind::kSandwich ? std::min(clusters - 1, fit.residual_df) : fit.residual_df;
  Eigen::VectorXd residual, weights;
  Eigen::MatrixXd all;
  if (df <= 0 || free.empty() || !objective.linearise(fit.found.u.data(), residual, all, weights)) {
    return {{}, "nothing is left to measure the noise by"};
  }
  if (!fit.undetermined.empty()) {
    return {{}, symbols(law, fit.undetermined) + " cannot be told from the rows"};
  }
  const auto count = static_cast<Index>(free.size());
  Eigen::MatrixXd j(all.rows(), count);
  for (Index k = 0; k < count; ++k)
    j.col(k) = all.col(static_cast<Index>(free[static_cast<std::size_t>(k)]));
  // Huber's F curves inside delta alone: rho'' is 0 beyond.
  Eigen::VectorXd curved = weights;
  Index inside = 0;
  for (Index i = 0; i < residual.size(); ++i) {
    const bool beyond =
        objective.kind == ErrorKind::kHuberLn && std::abs(residual[i]) > objective.delta;
    if (beyond) curved[i] = 0;
    if (curved[i] > 0) ++inside;
  }
  if (objective.kind == ErrorKind::kHuberLn && inside < kFewestInside * count) {
    return {{},
            "only " + std::to_string(inside) + (inside == 1 ? " row" : " rows") +
                " within delta, and " + std::to_string(count) + " constants"};
  }
  const Eigen::MatrixXd matrix = j.transpose() * curved.asDiagonal() * j;
  const Eigen::VectorXd size = matrix.diagonal().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> even(size.asDiagonal() * matrix *
                                                            size.asDiagonal());
  if (!(even.eigenvalues().minCoeff() > kSingular * even.eigenvalues().maxCoeff())) {
    return {{}, "the rows that curve the objective do not determine every constant"};
  }
  const Eigen::MatrixXd inverse =
      size.asDiagonal() *
      (even.eigenvectors() * even.eigenvalues().cwiseInverse().asDiagonal() *
       even.eigenvectors().transpose()) *
      size.asDiagonal();
  Eigen::MatrixXd covariance = inverse * (2 * fit.objective / df);
  if (kind == CovarianceKind::kSandwich) {
    Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(clusters, count);
    for (Index i = 0; i < residual.size(); ++i) {
      sums.row(cluster[static_cast<std::size_t>(i)]) += weights[i] * residual[i] * j.row(i);
    }
    const double rows = objective.data.total_weight();
    const double few = static_cast<double>(clusters) / (clusters - 1) * (rows - 1) /
                       std::max(rows - static_cast<double>(count), 1.0);
    covariance = inverse * (sums.transpose() * sums) * inverse * few;
  }
  const double t = student_t_quantile(0.5 + 0.5 * level, df);
  for (Index k = 0; k < count; ++k) {
    const std::size_t at = free[static_cast<std::size_t>(k)];
    const double reach = t * std::sqrt(std::max(covariance(k, k), 0.0));
    if (!std::isfinite(reach)) continue;
    const FormulaConstant& constant = law.constants[at];
    intervals[at] = {.low = constant.from_search(fit.found.u[at] - reach),
                     .high = constant.from_search(fit.found.u[at] + reach),
                     .low_bounded = true,
                     .high_bounded = true};
  }
  return {std::move(intervals), ""};
}

FormulaBootstrap bootstrap_formula(const FormulaLaw& law, const FormulaData& data, ErrorKind kind,
                                   const FormulaFit& fit, const std::vector<int>& cluster,
                                   int clusters, const std::vector<std::vector<double>>& rows,
                                   const BootstrapOptions& options, double level, bool by_newton) {
  constexpr std::size_t kOneStartSuffices = 60;
  std::vector<std::vector<double>> starts = {fit.found.u};
  if (data.rows() < kOneStartSuffices) {
    starts.insert(starts.end(), fit.other_optima.begin(), fit.other_optima.end());
  }
  const auto derivatives = by_newton ? FormulaDerivatives::of(law.formula) : std::nullopt;
  const std::vector<int> points = data.points();
  FormulaBootstrap out;
  out.result = bootstrap(cluster, clusters, options, [&](std::span<const double> weights) {
    FormulaData replicate = data;
    replicate.weight.assign(weights.begin(), weights.end());
    if (drawn_points(points, weights) < static_cast<int>(law.constants.size())) return Replicate{};
    const FormulaObjective objective{law, replicate, kind, fit.delta,
                                     derivatives ? &*derivatives : nullptr};
    const RefinedFormula found = refit(objective, starts);
    if (!std::isfinite(found.objective)) return Replicate{};
    const bool exact = objective.is_exact(found.objective);
    if (!(found.scaled_gradient <= kGradientTolerance) && !exact) {
      return Replicate{Replicate::Outcome::kStuck, {}};
    }
    Replicate fitted{Replicate::Outcome::kFitted, {}};
    for (std::size_t k = 0; k < found.u.size(); ++k) {
      fitted.statistics.push_back(law.constants[k].from_search(found.u[k]));
    }
    const std::vector<double> values = fitted.statistics;
    for (const auto& row : rows) fitted.statistics.push_back(law.value(values, row));
    return fitted;
  });
  for (std::size_t k = 0; k < law.constants.size() + rows.size(); ++k) {
    const auto found = out.result.interval(static_cast<int>(k), level);
    if (!found) break;
    OpenInterval interval{found->low, found->high, true, true};
    if (k < law.constants.size()) {
      // An end that lies on the range's, or that a vanished term has, is none.
      const FormulaConstant& constant = law.constants[k];
      const double least = 1e-6 * std::abs(fit.values[k]);
      interval.low_bounded = interval.low > constant.low + (constant.low == 0 ? least : 0);
      interval.high_bounded = interval.high < constant.high;
      out.constants.push_back(interval);
    } else {
      out.values.push_back(interval);
    }
  }
  return out;
}

}  // namespace scalelaw
