#include "analysis/fitting/formula_fit.h"

#include <Eigen/Dense>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "analysis/fitting/formula_start.h"

namespace scalelaw {
namespace {

using Index = Eigen::Index;

std::vector<RefinedFormula> refine_all(const FormulaObjective& objective,
                                       const std::vector<std::vector<double>>& starts,
                                       const std::vector<bool>& held, int threads) {
  std::vector<RefinedFormula> all(starts.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < starts.size(); i = next++) {
      all[i] = refine_formula(objective, starts[i], held);
    }
  };
  std::vector<std::jthread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(work);
  work();
  others.clear();
  return all;
}

const RefinedFormula* best_of(const std::vector<RefinedFormula>& all) {
  const RefinedFormula* best = nullptr;
  for (const RefinedFormula& each : all) {
    if (!std::isfinite(each.objective)) continue;
    if (best == nullptr || each.objective < best->objective) best = &each;
  }
  return best;
}

double robust_delta(const FormulaObjective& objective, const RefinedFormula& found) {
  Eigen::VectorXd residual, weights;
  Eigen::MatrixXd jacobian;
  if (!objective.linearise(found.u.data(), residual, jacobian, weights)) return 1e-3;
  std::vector<double> sizes;
  for (Index i = 0; i < residual.size(); ++i) {
    if (objective.data.weight[static_cast<std::size_t>(i)] > 0) {
      sizes.push_back(std::abs(residual[i]));
    }
  }
  if (sizes.empty()) return 1e-3;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  const auto rows = static_cast<double>(sizes.size());
  const double spent = std::max(rows - static_cast<double>(found.free().size()), 1.0);
  return std::max(1e-6, 1.345 * 1.4826 * *middle * std::sqrt(rows / spent));
}

// The constants that some direction of (nearly) no curvature moves: singular values of the evenly
// scaled Jacobian below 1e-7 of the largest.
std::vector<std::size_t> null_space(const FormulaObjective& objective, const std::vector<double>& u,
                                    const std::vector<std::size_t>& free) {
  constexpr double kNothing = 1e-7, kTakesPart = 0.1;
  Eigen::VectorXd residual, weights;
  Eigen::MatrixXd all;
  if (free.empty() || !objective.linearise(u.data(), residual, all, weights)) return {};
  Eigen::MatrixXd even(all.rows(), static_cast<Index>(free.size()));
  for (std::size_t k = 0; k < free.size(); ++k) {
    const Eigen::VectorXd column = all.col(static_cast<Index>(free[k]));
    const double size = column.norm();
    even.col(static_cast<Index>(k)) = size > 0 ? Eigen::VectorXd(column / size) : column;
  }
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(even, Eigen::ComputeFullV);
  const Eigen::VectorXd& found = svd.singularValues();
  std::vector<bool> named(free.size(), false);
  for (Index d = 0; d < static_cast<Index>(free.size()); ++d) {
    if (d < found.size() && found[d] > kNothing * found[0]) continue;
    const Eigen::VectorXd direction = svd.matrixV().col(d).cwiseAbs();
    for (std::size_t k = 0; k < free.size(); ++k) {
      if (direction[static_cast<Index>(k)] > kTakesPart * direction.maxCoeff()) named[k] = true;
    }
  }
  std::vector<std::size_t> constants;
  for (std::size_t k = 0; k < free.size(); ++k) {
    if (named[k]) constants.push_back(free[k]);
  }
  return constants;
}

bool response_varies(const FormulaData& data) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (data.weight[i] <= 0) continue;
    low = std::min(low, data.response[i]);
    high = std::max(high, data.response[i]);
  }
  return high > low;
}

std::string counted(int number, const std::string& of_what) {
  return std::to_string(number) + " " + of_what + (number == 1 ? "" : "s");
}

std::string is_or_are(const std::vector<std::size_t>& which) {
  return which.size() == 1 ? " is " : " are ";
}

// Values of what moves no row: a term's size is 0 where it has vanished.
void set_values(const FormulaObjective& objective, FormulaFit& fit) {
  const FormulaLaw& law = objective.law;
  const std::vector<std::size_t> linear = linear_constants(law, objective.data);
  std::vector<std::size_t> vanished;
  for (std::size_t k = 0; k < law.constants.size(); ++k) {
    double value = law.constants[k].from_search(fit.found.u[k]);
    const bool is_linear = std::find(linear.begin(), linear.end(), k) != linear.end();
    if (fit.found.at_end[k]) fit.at_bound.push_back(k);
    if (fit.found.no_effect[k]) {
      const bool size_of_a_term = is_linear && law.constants[k].transform == Transform::kLog;
      if (size_of_a_term) value = 0;
      (size_of_a_term ? fit.at_bound : fit.undetermined).push_back(k);
    }
    fit.values.push_back(value);
  }
}

// Each constant by its own bound: a term that has vanished, or the end of a range.
std::string bounds_words(const FormulaLaw& law, const FormulaFit& fit) {
  std::vector<std::size_t> gone;
  std::string ends;
  for (const std::size_t k : fit.at_bound) {
    if (fit.found.no_effect[k]) {
      gone.push_back(k);
      continue;
    }
    char value[32];
    std::snprintf(value, sizeof value, "%.4g", fit.values[k]);
    ends += (ends.empty() ? "" : "; ") + law.constants[k].symbol + " is at the end of its range, " +
            value;
  }
  if (gone.empty()) return ends;
  return symbols(law, gone) + is_or_are(gone) + "0: the rows ask for no such term" +
         (ends.empty() ? "" : "; " + ends);
}

void judge(const FormulaObjective& objective, FormulaFit& fit) {
  const FormulaLaw& law = objective.law;
  const std::vector<std::size_t> free = fit.found.free();
  const bool exact = objective.is_exact(fit.objective);
  for (const std::size_t k : null_space(objective, fit.found.u, free)) {
    fit.undetermined.push_back(k);
  }
  if (!(fit.found.scaled_gradient <= kGradientTolerance) && !exact && fit.undetermined.empty()) {
    fit.status = FitStatus::kNotConverged;
    fit.why = "the search stopped before the gradient vanished";
  } else if (fit.undetermined.empty() && fit.at_bound.empty() && fit.residual_df <= 0) {
    fit.status = FitStatus::kNotIdentified;
    fit.why = counted(fit.points, "point") + ", " +
              counted(static_cast<int>(free.size()), "parameter") +
              ", 0 residual degrees of freedom: the curve interpolates";
  } else if (!fit.undetermined.empty()) {
    fit.status = FitStatus::kNotIdentified;
    fit.why = symbols(law, fit.undetermined) + is_or_are(fit.undetermined) +
              "not identified: other values give the same law at every row";
    if (!fit.at_bound.empty()) {
      fit.why += "; " + bounds_words(law, fit);
    }
  } else if (!fit.at_bound.empty()) {
    fit.status = FitStatus::kAtBound;
    fit.why = bounds_words(law, fit);
  } else {
    fit.status = FitStatus::kConverged;
  }
}

}  // namespace

std::string symbols(const FormulaLaw& law, const std::vector<std::size_t>& which) {
  std::string list;
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (i > 0) list += i + 1 == which.size() ? " and " : ", ";
    list += law.constants[which[i]].symbol;
  }
  return list;
}

std::vector<double> unit_deviations(const FormulaObjective& objective, const std::vector<double>& u,
                                    const std::vector<std::size_t>& free) {
  const double infinite = std::numeric_limits<double>::infinity();
  std::vector<double> deviations(free.size(), infinite);
  Eigen::VectorXd residual, weights;
  Eigen::MatrixXd all;
  if (free.empty() || !objective.linearise(u.data(), residual, all, weights)) return deviations;
  Eigen::MatrixXd even(all.rows(), static_cast<Index>(free.size()));
  std::vector<double> size;
  for (std::size_t k = 0; k < free.size(); ++k) {
    const Eigen::VectorXd column =
        weights.cwiseSqrt().cwiseProduct(all.col(static_cast<Index>(free[k])));
    size.push_back(std::max(column.norm(), 1e-300));
    even.col(static_cast<Index>(k)) = column / size.back();
  }
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(even, Eigen::ComputeThinV);
  for (std::size_t k = 0; k < free.size(); ++k) {
    double sum = 0;
    for (Index d = 0; d < svd.singularValues().size(); ++d) {
      const double share = svd.matrixV()(static_cast<Index>(k), d) / svd.singularValues()[d];
      sum += share * share;
    }
    deviations[k] = std::sqrt(sum) / size[k];
  }
  return deviations;
}

RefinedFormula refit(const FormulaObjective& objective,
                     const std::vector<std::vector<double>>& starts) {
  const std::vector<RefinedFormula> all = refine_all(objective, starts, {}, 1);
  const RefinedFormula* best = best_of(all);
  return best != nullptr ? *best : all.front();
}

FormulaFit fit_formula(const FormulaLaw& law, const FormulaData& data,
                       const FormulaFitOptions& options) {
  FormulaFit fit;
  fit.points = data.distinct_points();
  const int constants = static_cast<int>(law.constants.size() - options.held.size());
  if (fit.points < constants) {
    fit.why = counted(fit.points, "distinct point") + " for " + counted(constants, "parameter");
    return fit;
  }
  if (!response_varies(data)) {
    fit.status = FitStatus::kDegenerate;
    fit.why = "every row has the same " + law.formula.response();
    return fit;
  }
  const bool huber = options.kind == ErrorKind::kHuberLn;
  const auto derivatives = options.by_newton ? FormulaDerivatives::of(law.formula) : std::nullopt;
  FormulaObjective objective{law, data, huber ? ErrorKind::kGaussianLn : options.kind, 1e-3,
                             derivatives ? &*derivatives : nullptr};
  std::vector<std::vector<double>> starts =
      formula_starts(objective, options.starts, options.seed, options.held);
  std::vector<bool> held(law.constants.size(), false);
  for (const auto& [k, value] : options.held) held[k] = true;
  std::vector<RefinedFormula> all = refine_all(objective, starts, held, options.threads);
  const RefinedFormula* best = best_of(all);
  if (best == nullptr) {
    fit.status = FitStatus::kNotConverged;
    fit.why = "the law has a value at every row from no start of " +
              std::to_string(options.starts) + ": give --start or --range";
    return fit;
  }
  if (huber) {
    fit.delta = options.delta.value_or(robust_delta(objective, *best));
    objective.kind = ErrorKind::kHuberLn;
    objective.delta = fit.delta;
    starts.clear();
    for (const RefinedFormula& each : all) {
      if (std::isfinite(each.objective)) starts.push_back(each.u);
    }
    all = refine_all(objective, starts, held, options.threads);
    best = best_of(all);
  }
  fit.found = *best;
  fit.objective = best->objective;
  fit.starts = static_cast<int>(all.size());
  for (const RefinedFormula& each : all) {
    const bool at_best = each.objective <= best->objective * (1 + 1e-6) + 1e-18;
    fit.starts_at_best += at_best ? 1 : 0;
    if (!at_best && fit.other_optima.size() < 2) fit.other_optima.push_back(each.u);
  }
  fit.residual_df = static_cast<int>(std::lround(data.total_weight())) -
                    static_cast<int>(fit.found.free().size());
  set_values(objective, fit);
  judge(objective, fit);
  return fit;
}

}  // namespace scalelaw
