#include "analysis/fitting/formula_refine.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "analysis/fitting/bfgs.h"
#include "analysis/fitting/formula_newton.h"
#include "analysis/fitting/formula_start.h"
#include "analysis/fitting/search_ends.h"

namespace scalelaw {
namespace {

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

// The damped step, in which constants that would pass an end stop there and the others are solved
// for again: those that stand in a valley with them follow.
Eigen::VectorXd bounded_step(const Eigen::MatrixXd& damped, const Eigen::VectorXd& right,
                             const Eigen::VectorXd& least, const Eigen::VectorXd& most) {
  Eigen::VectorXd change = damped.ldlt().solve(right);
  std::vector<Index> open(static_cast<std::size_t>(right.size())), stopped;
  std::iota(open.begin(), open.end(), 0);
  while (!open.empty()) {
    const std::size_t before = stopped.size();
    std::erase_if(open, [&](Index k) {
      if (change[k] >= least[k] && change[k] <= most[k]) return false;
      if (std::isnan(change[k])) return false;
      change[k] = std::clamp(change[k], least[k], most[k]);
      stopped.push_back(k);
      return true;
    });
    if (stopped.size() == before || open.empty()) break;
    const Eigen::VectorXd rest = right(open) - damped(open, stopped) * change(stopped);
    const Eigen::VectorXd solved = Eigen::MatrixXd(damped(open, open)).ldlt().solve(rest);
    change(open) = solved;
  }
  return change;
}

// Constants of `from` that do not stand at an end with F falling beyond it.
std::vector<std::size_t> unblocked(const FormulaObjective& objective, const SearchEnds& ends,
                                   const std::vector<double>& u,
                                   const std::vector<std::size_t>& from) {
  std::array<double, LawFormula::kMostNames> gradient, size;
  objective.value(u.data(), gradient.data(), size.data());
  std::vector<std::size_t> open;
  for (const std::size_t k : from) {
    const bool high = u[k] >= ends.high[static_cast<Index>(k)];
    const double inwards = high ? gradient[k] : -gradient[k];
    if (!ends.is_end(k, u[k]) || inwards > 1e-9 * size[k]) open.push_back(k);
  }
  return open;
}

void gauss_newton(const FormulaObjective& objective, const SearchEnds& ends, std::vector<double>& u,
                  const std::vector<std::size_t>& free) {
  // Of a Huber fit they crawl: most rows lie beyond delta, where rho'' is 0.
  const int most_steps = objective.kind == ErrorKind::kHuberLn ? 6 : 40;
  double best = objective.value(u.data()), damping = 1e-3;
  for (int step = 0; step < most_steps && damping < 1e8; ++step) {
    Eigen::MatrixXd matrix;
    Eigen::VectorXd right;
    if (!normal_equations(objective, u, free, matrix, right)) return;
    Eigen::VectorXd least(right.size()), most(right.size());
    for (std::size_t k = 0; k < free.size(); ++k) {
      least[static_cast<Index>(k)] = ends.low[static_cast<Index>(free[k])] - u[free[k]];
      most[static_cast<Index>(k)] = ends.high[static_cast<Index>(free[k])] - u[free[k]];
    }
    const double before = best;
    for (; damping < 1e8; damping *= 8) {
      Eigen::MatrixXd damped = matrix;
      for (Index k = 0; k < damped.rows(); ++k) {
        damped(k, k) += damping * matrix(k, k) + 1e-300;
      }
      const Eigen::VectorXd change = bounded_step(damped, right, least, most);
      if (!change.allFinite()) continue;
      std::vector<double> trial = u;
      for (std::size_t k = 0; k < free.size(); ++k) {
        trial[free[k]] = ends.within(free[k], u[free[k]] + change[static_cast<Index>(k)]);
      }
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

// The share of the way from u to `there` after which the first constant meets an end.
double share_within(const SearchEnds& ends, const std::vector<double>& u,
                    const Eigen::VectorXd& there) {
  double share = 1;
  for (std::size_t k = 0; k < u.size(); ++k) {
    const double way = there[static_cast<Index>(k)] - u[k];
    const double room = ends.within(k, there[static_cast<Index>(k)]) - u[k];
    if (room != way) share = std::min(share, room / way);
  }
  return share;
}

void bfgs(const FormulaObjective& objective, const SearchEnds& ends, std::vector<double>& u,
          const std::vector<std::size_t>& free) {
  const double scale = objective.scale(u.data());
  Whitened whitened;
  if (!whiten(objective, u, free, scale, whitened)) return;
  const auto size = static_cast<Index>(free.size());
  const ValueAndGradient of = [&](const double* z, double* cost, double* gradient) {
    const Eigen::VectorXd at =
        whitened.centre + whitened.spread * Eigen::Map<const Eigen::VectorXd>(z, size);
    if (!is_in_reach(objective.law, at.data())) return false;
    std::array<double, LawFormula::kMostNames> all;
    *cost = objective.value(at.data(), gradient != nullptr ? all.data() : nullptr) / scale;
    if (!std::isfinite(*cost)) return false;
    if (gradient == nullptr) return true;
    const Eigen::Map<const Eigen::VectorXd> in_u(all.data(), at.size());
    if (!in_u.allFinite()) return false;
    Eigen::Map<Eigen::VectorXd>(gradient, size) = whitened.spread.transpose() * in_u / scale;
    return true;
  };
  std::vector<double> z(free.size(), 0);
  minimise_by_bfgs(of, 200, z);
  const Eigen::VectorXd found =
      whitened.centre +
      whitened.spread * Eigen::Map<const Eigen::VectorXd>(z.data(), static_cast<Index>(z.size()));
  const double share = share_within(ends, u, found);
  std::vector<double> trial = u;
  for (const std::size_t k : free) {
    trial[k] = ends.within(k, u[k] + share * (found[static_cast<Index>(k)] - u[k]));
  }
  if (objective.value(trial.data()) <= objective.value(u.data())) u = std::move(trial);
}

// Never leaves the ranges, and never rises. What blocks is asked again each round.
void minimise(const FormulaObjective& objective, const SearchEnds& ends, std::vector<double>& u,
              const std::vector<std::size_t>& searched) {
  const std::size_t most_rounds = 8 + searched.size();
  double before = objective.value(u.data());
  for (std::size_t round = 0; round < most_rounds; ++round) {
    std::vector<std::size_t> free = unblocked(objective, ends, u, searched);
    if (free.empty()) return;
    gauss_newton(objective, ends, u, free);
    double now = objective.value(u.data());
    free = unblocked(objective, ends, u, searched);
    if (free.empty() || objective.is_exact(now * 1e4)) return;
    if (objective.scaled_gradient(u.data(), free) < 1e-10) return;
    bfgs(objective, ends, u, free);
    now = objective.value(u.data());
    free = unblocked(objective, ends, u, searched);
    if (objective.scaled_gradient(u.data(), free) < 1e-9) return;
    if (round > 0 && !(before - now > 1e-14 * before)) return;
    before = now;
  }
}

std::vector<std::size_t> searched(const RefinedFormula& found) {
  std::vector<std::size_t> all;
  for (std::size_t k = 0; k < found.u.size(); ++k) {
    if (!found.held[k] && !found.no_effect[k]) all.push_back(k);
  }
  return all;
}

// Terms that have vanished. true: something is new.
bool mark_vanished(const FormulaObjective& objective, const SearchEnds& ends,
                   RefinedFormula& found) {
  bool changed = false;
  const double unit = objective.unit();
  Eigen::VectorXd residual, weights;
  Eigen::MatrixXd jacobian;
  if (!objective.linearise(found.u.data(), residual, jacobian, weights)) return false;
  for (const std::size_t k : searched(found)) {
    if (ends.is_end(k, found.u[k])) continue;
    const double effect = jacobian.col(static_cast<Index>(k)).cwiseAbs().maxCoeff() / unit;
    const FormulaConstant& constant = objective.law.constants[k];
    const bool any_size = constant.transform == Transform::kLinear;
    const double typical = std::max(std::abs(constant.start_low), std::abs(constant.start_high));
    if (effect * (any_size ? std::max(std::abs(found.u[k]), typical) : 1) >= kNoEffect) continue;
    // The size of a term that may have any sign: however small its effect, it is determined.
    if (any_size && effect > 0) {
      const std::vector<std::size_t> linear = linear_constants(objective.law, objective.data);
      if (std::find(linear.begin(), linear.end(), k) != linear.end()) continue;
    }
    found.no_effect[k] = changed = true;
  }
  return changed;
}

// A vanished term that F asks back: with it at a hundredth of the law, or less, F is lower. The
// constants inside it are searched again too. Once a constant: a term may go to and fro.
bool revive(const FormulaObjective& objective, const SearchEnds& ends, RefinedFormula& found,
            std::vector<bool>& revived) {
  const double here = objective.value(found.u.data());
  for (std::size_t k = 0; k < found.u.size(); ++k) {
    const bool size_of_a_term = objective.law.constants[k].transform == Transform::kLog;
    if (!found.no_effect[k] || revived[k] || !size_of_a_term) continue;
    for (const double share : {1e-2, 1e-4, 1e-6}) {
      std::vector<double> trial = found.u;
      // Where exp(u) is no double any more the term's size has to be found from somewhere.
      trial[k] = std::max(trial[k], -600.0);
      Eigen::VectorXd residual, weights;
      Eigen::MatrixXd jacobian;
      if (!objective.linearise(trial.data(), residual, jacobian, weights)) break;
      const double effect =
          jacobian.col(static_cast<Index>(k)).cwiseAbs().maxCoeff() / objective.unit();
      if (!(effect > 0)) break;
      trial[k] = ends.within(k, trial[k] + std::log(share / effect));
      if (!(objective.value(trial.data()) < here * (1 - 1e-9))) continue;
      found.u = std::move(trial);
      revived[k] = true;
      found.no_effect.assign(found.u.size(), false);
      return true;
    }
  }
  return false;
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
  found.held = held.empty() ? std::vector<bool>(count, false) : held;
  if (objective.derivatives != nullptr) {
    if (const auto easy = newton_formula(objective, start, found.held)) return *easy;
  }
  found.u = std::move(start);
  found.at_end.assign(count, false);
  found.no_effect.assign(count, false);
  const SearchEnds ends(objective.law);
  for (std::size_t k = 0; k < count; ++k) {
    if (!found.held[k]) found.u[k] = ends.within(k, found.u[k]);
  }
  std::vector<bool> revived(count, false);
  for (std::size_t round = 0; round <= 3 * count; ++round) {
    minimise(objective, ends, found.u, searched(found));
    if (!mark_vanished(objective, ends, found) && !revive(objective, ends, found, revived)) break;
  }
  const std::vector<std::size_t> inside = unblocked(objective, ends, found.u, searched(found));
  for (const std::size_t k : searched(found)) {
    found.at_end[k] = std::find(inside.begin(), inside.end(), k) == inside.end();
  }
  found.objective = objective.value(found.u.data());
  found.scaled_gradient = objective.scaled_gradient(found.u.data(), found.free());
  return found;
}

}  // namespace scalelaw
