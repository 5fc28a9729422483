#include "analysis/fitting/formula_refine.h"

#include <ceres/first_order_function.h>
#include <ceres/gradient_problem.h>
#include <ceres/gradient_problem_solver.h>
#include <glog/logging.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>

namespace scalelaw {
namespace {

constexpr double kNoEffect = 1e-7;
constexpr double kFarthest = 690;  // exp of more is no double

using Index = Eigen::Index;

Eigen::MatrixXd columns_of(const Eigen::MatrixXd& all, const std::vector<std::size_t>& free) {
  Eigen::MatrixXd some(all.rows(), static_cast<Index>(free.size()));
  for (std::size_t k = 0; k < free.size(); ++k) {
    some.col(static_cast<Index>(k)) = all.col(static_cast<Index>(free[k]));
  }
  return some;
}

// J^T W J over `free`, and the gradient's part of it. false where the law has no value.
bool normal_equations(const FormulaObjective& objective, const std::vector<double>& u,
                      const std::vector<std::size_t>& free, Eigen::MatrixXd& matrix,
                      Eigen::VectorXd& right) {
  Eigen::VectorXd residual, weights;
  Eigen::MatrixXd jacobian;
  if (!objective.linearise(u.data(), residual, jacobian, weights)) return false;
  const Eigen::MatrixXd j = columns_of(jacobian, free);
  const Eigen::MatrixXd weighted = weights.asDiagonal() * j;
  matrix = j.transpose() * weighted;
  right = weighted.transpose() * residual;
  return true;
}

void gauss_newton(const FormulaObjective& objective, std::vector<double>& u,
                  const std::vector<std::size_t>& free) {
  // Of a Huber fit they crawl: most rows lie beyond delta, where rho'' is 0.
  const int most_steps = objective.kind == ErrorKind::kHuberLn ? 6 : 40;
  double best = objective.value(u.data()), damping = 1e-3;
  for (int step = 0; step < most_steps && damping < 1e8; ++step) {
    Eigen::MatrixXd matrix;
    Eigen::VectorXd right;
    if (!normal_equations(objective, u, free, matrix, right)) return;
    const double before = best;
    for (; damping < 1e8; damping *= 8) {
      Eigen::MatrixXd damped = matrix;
      for (Index k = 0; k < damped.rows(); ++k) {
        damped(k, k) += damping * matrix(k, k) + 1e-300;
      }
      const Eigen::VectorXd change = damped.ldlt().solve(right);
      if (!change.allFinite()) continue;
      std::vector<double> trial = u;
      for (std::size_t k = 0; k < free.size(); ++k) trial[free[k]] += change[static_cast<Index>(k)];
      const double there = objective.value(trial.data());
      if (!(there < best)) continue;
      u = std::move(trial);
      best = there;
      damping = std::max(damping / 64, 1e-14);
      break;
    }
    if (!(before - best > 1e-13 * before)) return;
  }
}

// u = centre + spread z, where the Gauss-Newton matrix of F / scale in z is the identity.
struct Whitened {
  Eigen::VectorXd centre;  // over all constants
  Eigen::MatrixXd spread;  // (constants, free)
};

class ScaledFormula final : public ceres::FirstOrderFunction {
 public:
  ScaledFormula(const FormulaObjective& objective, const Whitened& whitened, double scale)
      : objective_(objective), whitened_(whitened), scale_(scale) {}
  int NumParameters() const override { return static_cast<int>(whitened_.spread.cols()); }
  bool Evaluate(const double* const z, double* cost, double* gradient) const override {
    const Eigen::VectorXd u =
        whitened_.centre + whitened_.spread * Eigen::Map<const Eigen::VectorXd>(z, NumParameters());
    if (!(u.cwiseAbs().maxCoeff() < kFarthest)) return false;
    std::array<double, LawFormula::kMostNames> all;
    *cost = objective_.value(u.data(), gradient != nullptr ? all.data() : nullptr) / scale_;
    if (!std::isfinite(*cost)) return false;
    if (gradient == nullptr) return true;
    const Eigen::Map<const Eigen::VectorXd> in_u(all.data(), u.size());
    if (!in_u.allFinite()) return false;
    Eigen::Map<Eigen::VectorXd>(gradient, NumParameters()) =
        whitened_.spread.transpose() * in_u / scale_;
    return true;
  }

 private:
  const FormulaObjective& objective_;
  const Whitened& whitened_;
  double scale_;
};

bool whiten(const FormulaObjective& objective, const std::vector<double>& u,
            const std::vector<std::size_t>& free, double scale, Whitened& out) {
  constexpr double kFlattest = 1e-13;  // of the largest eigenvalue: flatter directions count as it
  constexpr double kLongest = 2;       // a unit of z moves no constant by more
  Eigen::MatrixXd matrix;
  Eigen::VectorXd right;
  if (!normal_equations(objective, u, free, matrix, right) || !matrix.allFinite()) return false;
  const Eigen::VectorXd size = matrix.diagonal().cwiseMax(1e-300).cwiseSqrt();
  const Eigen::MatrixXd even =
      size.cwiseInverse().asDiagonal() * matrix * size.cwiseInverse().asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(even);
  if (solver.info() != Eigen::Success) return false;
  out.centre = Eigen::Map<const Eigen::VectorXd>(u.data(), static_cast<Index>(u.size()));
  out.spread = Eigen::MatrixXd::Zero(out.centre.size(), static_cast<Index>(free.size()));
  const double largest = solver.eigenvalues().maxCoeff();
  for (Index d = 0; d < static_cast<Index>(free.size()); ++d) {
    const double value = std::max(solver.eigenvalues()[d], kFlattest * largest);
    Eigen::VectorXd direction =
        size.cwiseInverse().cwiseProduct(solver.eigenvectors().col(d)) * std::sqrt(scale / value);
    const double longest = direction.cwiseAbs().maxCoeff();
    if (longest > kLongest) direction *= kLongest / longest;
    for (std::size_t k = 0; k < free.size(); ++k) {
      out.spread(static_cast<Index>(free[k]), d) = direction[static_cast<Index>(k)];
    }
  }
  return out.spread.allFinite();
}

void bfgs(const FormulaObjective& objective, std::vector<double>& u,
          const std::vector<std::size_t>& free) {
  // Its line search warns on standard error about polynomials of a step that is already exact.
  [[maybe_unused]] static const int quiet = FLAGS_minloglevel = google::GLOG_ERROR;
  const double scale = objective.scale(u.data());
  Whitened whitened;
  if (!whiten(objective, u, free, scale, whitened)) return;
  const ceres::GradientProblem problem(new ScaledFormula(objective, whitened, scale));
  ceres::GradientProblemSolver::Options options;
  options.line_search_direction_type = ceres::BFGS;
  options.max_num_iterations = 200;
  options.function_tolerance = 0;
  options.parameter_tolerance = 0;
  options.gradient_tolerance = 1e-11;
  options.logging_type = ceres::SILENT;
  ceres::GradientProblemSolver::Summary summary;
  std::vector<double> z(free.size(), 0);
  ceres::Solve(options, problem, z.data(), &summary);
  const Eigen::VectorXd found =
      whitened.centre +
      whitened.spread * Eigen::Map<const Eigen::VectorXd>(z.data(), static_cast<Index>(z.size()));
  if (objective.value(found.data()) <= objective.value(u.data())) {
    u.assign(found.data(), found.data() + found.size());
  }
}

void minimise(const FormulaObjective& objective, std::vector<double>& u,
              const std::vector<std::size_t>& free) {
  constexpr int kMostRounds = 8;
  if (free.empty()) return;
  double before = objective.value(u.data());
  for (int round = 0; round < kMostRounds; ++round) {
    gauss_newton(objective, u, free);
    double now = objective.value(u.data());
    if (objective.is_exact(now * 1e4) || objective.scaled_gradient(u.data(), free) < 1e-10) return;
    bfgs(objective, u, free);
    now = objective.value(u.data());
    if (objective.scaled_gradient(u.data(), free) < 1e-9) return;
    if (round > 0 && !(before - now > 1e-14 * before)) return;
    before = now;
  }
}

// Ends of ranges that were passed, and terms that have vanished. true: something is new.
bool mark(const FormulaObjective& objective, RefinedFormula& found) {
  bool changed = false;
  for (const std::size_t k : found.free()) {
    const FormulaConstant& constant = objective.law.constants[k];
    if (constant.transform == Transform::kLogit) continue;
    const double low = constant.to_search(constant.low), high = constant.to_search(constant.high);
    if (found.u[k] >= low && found.u[k] <= high) continue;
    found.u[k] = std::clamp(found.u[k], low, high);
    found.at_end[k] = changed = true;
  }
  if (changed) return true;
  Eigen::VectorXd residual, weights;
  Eigen::MatrixXd jacobian;
  if (!objective.linearise(found.u.data(), residual, jacobian, weights)) return false;
  for (const std::size_t k : found.free()) {
    if (jacobian.col(static_cast<Index>(k)).cwiseAbs().maxCoeff() >= kNoEffect) continue;
    found.no_effect[k] = changed = true;
  }
  return changed;
}

}  // namespace

std::vector<std::size_t> RefinedFormula::free() const {
  std::vector<std::size_t> all;
  for (std::size_t k = 0; k < u.size(); ++k) {
    if (!held[k] && !at_end[k] && !no_effect[k]) all.push_back(k);
  }
  return all;
}

RefinedFormula refine_formula(const FormulaObjective& objective, std::vector<double> start,
                              const std::vector<bool>& held) {
  RefinedFormula found;
  const std::size_t count = start.size();
  found.u = std::move(start);
  found.held = held.empty() ? std::vector<bool>(count, false) : held;
  found.at_end.assign(count, false);
  found.no_effect.assign(count, false);
  for (std::size_t round = 0; round <= count; ++round) {
    minimise(objective, found.u, found.free());
    if (!mark(objective, found)) break;
  }
  found.objective = objective.value(found.u.data());
  found.scaled_gradient = objective.scaled_gradient(found.u.data(), found.free());
  return found;
}

}  // namespace scalelaw
