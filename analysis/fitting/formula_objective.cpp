#include "analysis/fitting/formula_objective.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace scalelaw {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
using Constants = std::array<double, LawFormula::kMostNames>;

}  // namespace

RowPart row_part(ErrorKind kind, double delta, double r) {
  switch (kind) {
    case ErrorKind::kHuberLn:
      if (std::abs(r) > delta) {
        return {delta * (std::abs(r) - 0.5 * delta), std::copysign(delta, r), 0,
                delta / std::abs(r)};
      }
      break;
    case ErrorKind::kEnvelope:
      if (r > 0) {
        return {0.5 * kEnvelopeWeight * r * r, kEnvelopeWeight * r, kEnvelopeWeight,
                kEnvelopeWeight};
      }
      break;
    case ErrorKind::kGaussianLn:
    case ErrorKind::kGaussian:
      break;
  }
  return {0.5 * r * r, r, 1, 1};
}

void FormulaData::add(std::span<const double> row, double value, double row_weight) {
  width = row.size();
  columns.insert(columns.end(), row.begin(), row.end());
  response.push_back(value);
  weight.push_back(row_weight);
}

double FormulaData::total_weight() const {
  double sum = 0;
  for (const double w : weight) sum += w;
  return sum;
}

int FormulaData::distinct_points() const {
  std::set<std::vector<double>> seen;
  for (std::size_t i = 0; i < rows(); ++i) {
    if (weight[i] > 0) seen.emplace(row(i), row(i) + width);
  }
  return static_cast<int>(seen.size());
}

std::vector<int> FormulaData::points() const {
  std::map<std::vector<double>, int> first;
  std::vector<int> all;
  for (std::size_t i = 0; i < rows(); ++i) {
    const std::vector<double> at(row(i), row(i) + width);
    all.push_back(first.try_emplace(at, static_cast<int>(i)).first->second);
  }
  return all;
}

bool is_in_ln(ErrorKind kind) {
  return kind != ErrorKind::kGaussian;
}

double FormulaObjective::value(const double* u, double* gradient, double* contributions) const {
  const std::size_t count = law.constants.size();
  Constants constants, slopes, d;
  for (std::size_t k = 0; k < count; ++k) {
    constants[k] = law.constants[k].from_search(u[k]);
    slopes[k] = law.constants[k].slope(u[k]);
  }
  if (gradient != nullptr) std::fill_n(gradient, count, 0.0);
  if (contributions != nullptr) std::fill_n(contributions, count, 0.0);
  const bool in_ln = is_in_ln(kind);
  double sum = 0;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (data.weight[i] <= 0) continue;
    const double v =
        law.formula.value(constants.data(), data.row(i), gradient != nullptr ? d.data() : nullptr);
    if (!std::isfinite(v) || (in_ln && v <= 0)) return kInfinite;
    const double r = in_ln ? std::log(data.response[i] / v) : data.response[i] - v;
    const RowPart part = row_part(kind, delta, r);
    sum += data.weight[i] * part.value;
    if (gradient == nullptr) continue;
    const double step = -data.weight[i] * part.slope / (in_ln ? v : 1);
    for (std::size_t k = 0; k < count; ++k) {
      const double share = step * d[k] * slopes[k];
      gradient[k] += share;
      if (contributions != nullptr) contributions[k] += std::abs(share);
    }
  }
  return std::isfinite(sum) ? sum : kInfinite;
}

bool FormulaObjective::linearise(const double* u, Eigen::VectorXd& residual,
                                 Eigen::MatrixXd& jacobian, Eigen::VectorXd& weights) const {
  const std::size_t count = law.constants.size();
  Constants constants, slopes, d;
  for (std::size_t k = 0; k < count; ++k) {
    constants[k] = law.constants[k].from_search(u[k]);
    slopes[k] = law.constants[k].slope(u[k]);
  }
  const auto rows = static_cast<Eigen::Index>(data.rows());
  residual.setZero(rows);
  weights.setZero(rows);
  jacobian.setZero(rows, static_cast<Eigen::Index>(count));
  const bool in_ln = is_in_ln(kind);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (data.weight[at] <= 0) continue;
    const double v = law.formula.value(constants.data(), data.row(at), d.data());
    if (!std::isfinite(v) || (in_ln && v <= 0)) return false;
    residual[i] = in_ln ? std::log(data.response[at] / v) : data.response[at] - v;
    weights[i] = data.weight[at] * row_part(kind, delta, residual[i]).weight;
    for (std::size_t k = 0; k < count; ++k) {
      const double slope = d[k] * slopes[k] / (in_ln ? v : 1);
      if (!std::isfinite(slope)) return false;
      jacobian(i, static_cast<Eigen::Index>(k)) = slope;
    }
  }
  return true;
}

double FormulaObjective::scale(const double* u) const {
  if (kind == ErrorKind::kHuberLn) return delta * delta;
  const double mean = 2 * value(u) / std::max(data.total_weight(), 1.0);
  return std::isfinite(mean) ? std::max(mean, 1e-24 * unit() * unit()) : 1;
}

double FormulaObjective::scaled_gradient(const double* u, std::span<const std::size_t> free) const {
  Constants gradient, size;
  value(u, gradient.data(), size.data());
  double worst = 0;
  for (const std::size_t k : free) {
    if (size[k] > 0) worst = std::max(worst, std::abs(gradient[k]) / size[k]);
  }
  return worst;
}

bool FormulaObjective::is_exact(double objective) const {
  return objective < 1e-20 * unit() * unit() * data.total_weight();
}

double FormulaObjective::unit() const {
  if (is_in_ln(kind)) return 1;
  double low = kInfinite, high = -kInfinite;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (data.weight[i] <= 0) continue;
    low = std::min(low, data.response[i]);
    high = std::max(high, data.response[i]);
  }
  if (high > low) return high - low;
  return std::isfinite(high) && high != 0 ? std::abs(high) : 1;
}

}  // namespace scalelaw
