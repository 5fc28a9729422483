#include "analysis/fitting/formula_newton.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "analysis/fitting/formula_rows.h"
#include "analysis/fitting/search_ends.h"

namespace scalelaw {
namespace {

using Index = Eigen::Index;
constexpr double kVanished = 1e-10;  // scaled gradient
constexpr double kFlat = 1e-9;       // least pivot of the evenly scaled Hessian

// The entries of constants that are searched, scaled so that the Gauss-Newton matrix has ones on
// its diagonal.
struct Even {
  ConstantVector size, gradient;
  ConstantMatrix hessian, gauss_newton;

  Even(const FormulaCurvature& at, const std::vector<std::size_t>& free) {
    const auto count = static_cast<Index>(free.size());
    for (ConstantVector* each : {&size, &gradient}) each->resize(count);
    for (ConstantMatrix* each : {&hessian, &gauss_newton}) each->resize(count, count);
    for (Index k = 0; k < count; ++k) {
      const auto from = static_cast<Index>(free[static_cast<std::size_t>(k)]);
      size[k] = std::sqrt(at.gauss_newton(from, from));
      gradient[k] = at.gradient[from] / size[k];
      for (Index j = 0; j <= k; ++j) {
        const auto other = static_cast<Index>(free[static_cast<std::size_t>(j)]);
        const double both = size[k] * size[j];
        hessian(k, j) = hessian(j, k) = at.hessian(from, other) / both;
        gauss_newton(k, j) = gauss_newton(j, k) = at.gauss_newton(from, other) / both;
      }
    }
  }
  bool is_minimum() const {
    const Eigen::LDLT<ConstantMatrix> pivots(hessian);
    return pivots.info() == Eigen::Success && pivots.vectorD().minCoeff() > kFlat;
  }
};

double scaled_gradient(const FormulaCurvature& at, const std::vector<std::size_t>& free) {
  double worst = 0;
  for (const std::size_t k : free) {
    const auto i = static_cast<Index>(k);
    if (at.contributions[i] > 0) {
      worst = std::max(worst, std::abs(at.gradient[i]) / at.contributions[i]);
    }
  }
  return worst;
}

class NewtonSearch {
 public:
  NewtonSearch(const FormulaObjective& objective, std::vector<double> start,
               std::vector<std::size_t> free)
      : objective_(objective),
        rows_(objective, *objective.derivatives),
        ends_(objective.law),
        free_(std::move(free)),
        u_(std::move(start)) {}

  // To where the gradient vanishes; false where it does not get there.
  bool run() {
    constexpr int kMostSteps = 60;
    if (!is_inside(u_) || !rows_.evaluate(u_.data(), here_)) return false;
    for (int step = 0; step < kMostSteps; ++step) {
      if (scaled_gradient(here_, free_) <= kVanished) return true;
      if (!descend()) return scaled_gradient(here_, free_) <= 100 * kVanished;
    }
    return false;
  }

  // Every constant moves the law, and every way from here leads up.
  bool is_a_result(double least_effect) const {
    const double unit = objective_.unit();
    for (const std::size_t k : free_) {
      const FormulaConstant& constant = objective_.law.constants[k];
      const bool any_size = constant.transform == Transform::kLinear;
      const double typical = std::max(std::abs(constant.start_low), std::abs(constant.start_high));
      const double by = any_size ? std::max(std::abs(u_[k]), typical) : 1;
      if (!(here_.effect[static_cast<Index>(k)] / unit * by >= least_effect)) return false;
    }
    return !objective_.is_exact(here_.value * 1e4) && Even(here_, free_).is_minimum();
  }

  RefinedFormula result(std::vector<bool> held) {
    const std::size_t count = u_.size();
    return {std::move(u_),
            here_.value,
            scaled_gradient(here_, free_),
            std::move(held),
            std::vector<bool>(count, false),
            std::vector<bool>(count, false)};
  }

 private:
  bool is_inside(const std::vector<double>& u) const {
    return is_in_reach(objective_.law, u.data()) &&
           std::none_of(free_.begin(), free_.end(),
                        [&](std::size_t k) { return ends_.is_end(k, u[k]); });
  }

  // One step down, damped as much as that needs. false: none was found.
  bool descend() {
    const Even even(here_, free_);
    if (!even.size.allFinite() || !(even.size.minCoeff() > 0)) return false;
    for (; damping_ < 1e8; damping_ = std::max(4 * damping_, 1e-3)) {
      const Eigen::LLT<ConstantMatrix> factor(
          ConstantMatrix(even.hessian + damping_ * even.gauss_newton));
      if (factor.info() != Eigen::Success) continue;
      const ConstantVector way = -factor.solve(even.gradient);
      std::vector<double>& trial = trial_;
      trial = u_;
      for (std::size_t k = 0; k < free_.size(); ++k) {
        const auto at = static_cast<Index>(k);
        trial[free_[k]] += way[at] / even.size[at];
      }
      if (!is_inside(trial) || !rows_.evaluate(trial.data(), there_)) continue;
      const double promised = -(even.gradient.dot(way) + 0.5 * way.dot(even.hessian * way));
      const double kept = (here_.value - there_.value) / promised;
      if (!(there_.value < here_.value)) {
        if (std::abs(promised) < 1e-15 * here_.value) return false;
        continue;
      }
      u_ = trial;
      std::swap(here_, there_);
      if (kept > 0.75) damping_ = damping_ < 1e-3 ? 0 : damping_ / 8;
      if (kept < 0.25) damping_ = std::max(4 * damping_, 1e-3);
      return true;
    }
    return false;
  }

  const FormulaObjective& objective_;
  FormulaRows rows_;
  SearchEnds ends_;
  std::vector<std::size_t> free_;
  std::vector<double> u_, trial_;
  FormulaCurvature here_, there_;
  double damping_ = 0;
};

}  // namespace

std::optional<RefinedFormula> newton_formula(const FormulaObjective& objective,
                                             const std::vector<double>& start,
                                             const std::vector<bool>& held) {
  std::vector<std::size_t> free;
  for (std::size_t k = 0; k < start.size(); ++k) {
    if (!held[k]) free.push_back(k);
  }
  if (free.empty()) return std::nullopt;
  NewtonSearch search(objective, start, std::move(free));
  if (!search.run() || !search.is_a_result(kNoEffect)) return std::nullopt;
  return search.result(held);
}

}  // namespace scalelaw
