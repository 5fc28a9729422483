#include "analysis/fitting/joint_contour.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/find_edge.h"

namespace scalelaw {
namespace {

using Index = Eigen::Index;

// Of the two search coordinates for a unit variance of the residuals; 0 where the rows do not
// determine them.
Eigen::Matrix2d unit_covariance(const FormulaObjective& objective, const FormulaFit& fit,
                                std::size_t first, std::size_t second) {
  constexpr double kSingular = 1e-13;
  const std::vector<std::size_t> free = fit.found.free();
  Eigen::VectorXd residual, weights;
  Eigen::MatrixXd all;
  Index at[2] = {-1, -1};
  if (!objective.linearise(fit.found.u.data(), residual, all, weights)) {
    return Eigen::Matrix2d::Zero();
  }
  Eigen::MatrixXd j(all.rows(), static_cast<Index>(free.size()));
  for (Index k = 0; k < j.cols(); ++k) {
    const std::size_t constant = free[static_cast<std::size_t>(k)];
    j.col(k) = all.col(static_cast<Index>(constant));
    if (constant == first) at[0] = k;
    if (constant == second) at[1] = k;
  }
  if (at[0] < 0 || at[1] < 0) return Eigen::Matrix2d::Zero();
  const Eigen::MatrixXd matrix = j.transpose() * weights.asDiagonal() * j;
  const Eigen::VectorXd size = matrix.diagonal().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> even(size.asDiagonal() * matrix *
                                                            size.asDiagonal());
  if (!(even.eigenvalues().minCoeff() > kSingular * even.eigenvalues().maxCoeff())) {
    return Eigen::Matrix2d::Zero();
  }
  const Eigen::MatrixXd inverse =
      size.asDiagonal() *
      (even.eigenvectors() * even.eigenvalues().cwiseInverse().asDiagonal() *
       even.eigenvectors().transpose()) *
      size.asDiagonal();
  Eigen::Matrix2d two;
  for (Index r = 0; r < 2; ++r) {
    for (Index c = 0; c < 2; ++c) two(r, c) = inverse(at[r], at[c]);
  }
  return two;
}

// What a ray goes along: a constant's search coordinate, or its value where the set has no lower
// end but 0, which a logarithm never reaches.
struct Coordinate {
  const FormulaConstant& constant;
  double best = 0;  // search coordinate
  bool in_value = false;

  double at_best() const { return in_value ? constant.from_search(best) : best; }
  double slope() const { return in_value ? constant.slope(best) : 1; }
  double to_search(double at) const { return in_value ? constant.to_search(at) : at; }
  double to_value(double at) const { return in_value ? at : constant.from_search(at); }
  // Where it may lie. 35 of ln: a factor of 1e15, and no row has anything left of a term.
  Interval range(double unit) const {
    const bool ranged = constant.transform != Transform::kLogit;
    const double reach = constant.transform == Transform::kLinear ? 1e6 * unit : 35;
    const Interval u{std::max(ranged ? constant.to_search(constant.low) : -35, best - reach),
                     std::min(ranged ? constant.to_search(constant.high) : 35, best + reach)};
    if (!in_value) return u;
    return {constant.from_search(u.low), constant.from_search(u.high)};
  }
};

// How many of `step` from `best` until the end of `range`.
double steps_to_end(double best, double step, const Interval& range) {
  if (step == 0) return HUGE_VAL;
  return ((step > 0 ? range.high : range.low) - best) / step;
}

}  // namespace

JointContour joint_contour(const FormulaLaw& law, const FormulaData& data, ErrorKind kind,
                           const FormulaFit& fit, std::size_t first, std::size_t second,
                           double allowed_rise) {
  JointContour contour;
  contour.first = first;
  contour.second = second;
  const auto derivatives = FormulaDerivatives::of(law.formula);
  const FormulaObjective objective{law, data, kind, 0, derivatives ? &*derivatives : nullptr};
  const Eigen::Matrix2d covariance = unit_covariance(objective, fit, first, second);
  if (!(covariance.determinant() > 0)) return contour;
  contour.correlation = covariance(0, 1) / std::sqrt(covariance(0, 0) * covariance(1, 1));
  const FormulaProfile profile(law, data, kind, fit, allowed_rise);
  contour.first_reach = profile.constant(first);
  contour.second_reach = profile.constant(second);
  const auto coordinate = [&](std::size_t which, const OpenInterval& reach) {
    const FormulaConstant& constant = law.constants[which];
    const bool to_zero = constant.transform == Transform::kLog && !reach.low_bounded;
    return Coordinate{constant, fit.found.u[which], to_zero};
  };
  const Coordinate x = coordinate(first, contour.first_reach);
  const Coordinate y = coordinate(second, contour.second_reach);
  const Eigen::Vector2d slopes(x.slope(), y.slope());
  const Eigen::Matrix2d scaled = slopes.asDiagonal() * covariance * slopes.asDiagonal();
  const Eigen::Matrix2d root = std::sqrt(allowed_rise) * scaled.llt().matrixL().toDenseMatrix();
  std::vector<bool> held(fit.found.u.size(), false);
  held[first] = held[second] = true;
  const Interval x_range = x.range(root(0, 0)), y_range = y.range(root.row(1).norm());
  for (int i = 0; i < kContourPoints; ++i) {
    const double angle = 2 * std::numbers::pi * i / kContourPoints;
    const Eigen::Vector2d ray = root * Eigen::Vector2d(std::cos(angle), std::sin(angle));
    const auto along = [&](double place) {
      return Eigen::Vector2d(x.at_best() + place * ray[0], y.at_best() + place * ray[1]);
    };
    const HoldAt hold = [&](double place, const std::vector<double>& warm) {
      std::vector<double> start = warm;
      start[first] = x.to_search(along(place)[0]);
      start[second] = y.to_search(along(place)[1]);
      RefinedFormula found = refine_formula(objective, std::move(start), held);
      const bool converged = found.scaled_gradient <= kGradientTolerance * 100;
      return Held{2 * (found.objective - fit.objective) - allowed_rise, std::move(found.u),
                  converged};
    };
    const double end = std::min(steps_to_end(x.at_best(), ray[0], x_range),
                                steps_to_end(y.at_best(), ray[1], y_range));
    const Edge edge = end > 0 ? find_edge(hold, fit.found.u, 0, std::min(1.0, end), end) : Edge{};
    const Eigen::Vector2d place = along(edge.found ? edge.place : std::max(end, 0.0));
    contour.unconverged += edge.unconverged;
    contour.x.push_back(x.to_value(place[0]));
    contour.y.push_back(y.to_value(place[1]));
  }
  return contour;
}

double joint_rise(const FormulaFit& fit, double level) {
  const double df = std::max(fit.residual_df, 1);
  return 2 * f_quantile(level, 2, df) * 2 * fit.objective / df;
}

}  // namespace scalelaw
