#include "analysis/fitting/variable_projection.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

namespace scalelaw {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The linear problem at given exponents.
struct Inner {
  double rss = kInfinity;
  bool floor_kept = false;       // the floor's column took part
  Eigen::VectorXd coefficients;  // of each term; then the floor (0 when not kept)
  Eigen::VectorXd residual;
  Eigen::MatrixXd orthonormal;  // basis of the columns that took part, rows x columns
};

class Projection {
 public:
  Projection(const Law& law, const FitData& data, ErrorSpace space)
      : law_(law), terms_(law.exponents()) {
    for (std::size_t i = 0; i < data.rows(); ++i) {
      if (data.weight[i] <= 0) continue;
      rows_.push_back(data.scale[i]);
      const double root = std::sqrt(data.weight[i]);
      scale_.push_back(space == ErrorSpace::kLoss ? root : root / data.loss[i]);
      target_.push_back(data.loss[i] * scale_.back());
    }
  }

  int rows() const { return static_cast<int>(rows_.size()); }

  Inner solve(const std::vector<double>& exponents) const {
    Eigen::MatrixXd columns(rows(), terms_ + (law_.has_floor() ? 1 : 0));
    for (int i = 0; i < rows(); ++i) {
      for (int k = 0; k < terms_; ++k) {
        columns(i, k) = scale_[i] * law_.term(k, exponents[k], rows_[i]);
      }
      if (law_.has_floor()) columns(i, terms_) = scale_[i];
    }
    Inner best;
    if (law_.has_floor()) best = solve_columns(columns, true);
    // Coefficients below zero are outside the law; without its floor the rest may be inside.
    if (best.rss == kInfinity) best = solve_columns(columns.leftCols(terms_), false);
    return best;
  }

  // Kaufman's Jacobian of the projected residual with respect to the exponents.
  Eigen::MatrixXd jacobian(const std::vector<double>& exponents, const Inner& inner) const {
    Eigen::MatrixXd d(rows(), terms_);
    for (int i = 0; i < rows(); ++i) {
      for (int k = 0; k < terms_; ++k) {
        d(i, k) = -scale_[i] * law_.term_log_slope(k, rows_[i]) *
                  law_.term(k, exponents[k], rows_[i]) * inner.coefficients[k];
      }
    }
    return d - inner.orthonormal * (inner.orthonormal.transpose() * d);
  }

  std::vector<double> theta(const std::vector<double>& exponents, const Inner& inner) const {
    std::vector<double> out = exponents;
    for (int k = 0; k < terms_; ++k) out.push_back(std::log(inner.coefficients[k]));
    if (law_.has_floor()) {
      const double floor = inner.coefficients[terms_];
      out.push_back(floor > 0 ? std::log(floor) : kNoFloor);
    }
    return out;
  }

 private:
  Inner solve_columns(const Eigen::MatrixXd& columns, bool with_floor) const {
    const Eigen::Map<const Eigen::VectorXd> target(target_.data(), rows());
    // Column lengths differ by the loss's scale only, but exponents near 0 make them parallel.
    const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(columns);
    Inner inner;
    if (qr.rank() < columns.cols()) return inner;
    const Eigen::VectorXd solution = qr.solve(target);
    if (!solution.allFinite() || solution.minCoeff() <= 0) return inner;
    inner.floor_kept = with_floor;
    inner.coefficients = Eigen::VectorXd::Zero(terms_ + (law_.has_floor() ? 1 : 0));
    inner.coefficients.head(columns.cols()) = solution;
    inner.residual = target - columns * solution;
    inner.rss = inner.residual.squaredNorm();
    inner.orthonormal =
        qr.householderQ() * Eigen::MatrixXd::Identity(columns.rows(), columns.cols());
    return inner;
  }

  const Law& law_;
  int terms_;
  std::vector<CentredScale> rows_;
  std::vector<double> scale_, target_;
};

struct Search {
  std::vector<double> exponents;
  Inner inner;
};

double node(const VariableProjectionOptions& options, int i) {
  const double share = options.grid > 1 ? static_cast<double>(i) / (options.grid - 1) : 0.5;
  return options.exponent_min * std::pow(options.exponent_max / options.exponent_min, share);
}

// Nodes that give dependent columns are passed over, not the whole grid.
Search search_grid(const Projection& projection, int exponents,
                   const VariableProjectionOptions& options) {
  Search best;
  const auto consider = [&](const std::vector<double>& at) {
    Inner inner = projection.solve(at);
    if (inner.rss < best.inner.rss) best = {at, std::move(inner)};
  };
  const int first = options.fixed_exponent ? 1 : options.grid;
  for (int i = 0; i < first; ++i) {
    const double a = options.fixed_exponent.value_or(node(options, i));
    if (exponents == 1) {
      consider({a});
      continue;
    }
    for (int j = 0; j < options.grid; ++j) consider({a, node(options, j)});
  }
  return best;
}

// Gauss-Newton with step halving; stays inside the range of exponents.
void descend(const Projection& projection, const VariableProjectionOptions& options, Search& at) {
  const int held = options.fixed_exponent ? 1 : 0;
  const int free = static_cast<int>(at.exponents.size()) - held;
  if (free == 0) return;
  for (int iteration = 0; iteration < 60; ++iteration) {
    const Eigen::MatrixXd jacobian = projection.jacobian(at.exponents, at.inner).rightCols(free);
    const Eigen::VectorXd step = -jacobian.colPivHouseholderQr().solve(at.inner.residual);
    if (!step.allFinite()) return;
    bool better = false;
    for (double length = 1; length > 1e-8 && !better; length /= 2) {
      std::vector<double> trial = at.exponents;
      for (int k = 0; k < free; ++k) {
        trial[held + k] = std::clamp(trial[held + k] + length * step[k], options.exponent_min,
                                     options.exponent_max);
      }
      Inner inner = projection.solve(trial);
      if (inner.rss < at.inner.rss) {
        at = {std::move(trial), std::move(inner)};
        better = true;
      }
    }
    if (!better || step.cwiseAbs().maxCoeff() < 1e-13) return;
  }
}

// |J' r| relative to the sum of its contributions' sizes.
double relative_gradient(const Projection& projection, const Search& at, int held) {
  const Eigen::MatrixXd jacobian = projection.jacobian(at.exponents, at.inner);
  double worst = 0;
  for (int k = held; k < jacobian.cols(); ++k) {
    const double size = jacobian.col(k).cwiseAbs().dot(at.inner.residual.cwiseAbs());
    if (size > 0) worst = std::max(worst, std::abs(jacobian.col(k).dot(at.inner.residual)) / size);
  }
  return worst;
}

FitStatus judge(const Law& law, const VariableProjectionOptions& options, const Search& at,
                FitResult& result, int distinct) {
  const int held = options.fixed_exponent ? 1 : 0;
  for (std::size_t k = held; k < at.exponents.size(); ++k) {
    if (at.exponents[k] <= options.exponent_min * 1.0001 ||
        at.exponents[k] >= options.exponent_max * 0.9999) {
      result.why = "an exponent stands at the end of the range that was searched";
      return FitStatus::kDegenerate;
    }
  }
  if (law.has_floor() && !at.inner.floor_kept) {
    result.why = "the best floor is E = 0: the data ask for no floor";
    return FitStatus::kAtBound;
  }
  if (distinct == law.parameters() - held) {
    result.why = std::to_string(distinct) + " sizes, " + std::to_string(distinct) +
                 " parameters, 0 residual degrees of freedom: the curve interpolates, "
                 "its parameters are not identified";
    return FitStatus::kNotIdentified;
  }
  if (result.scaled_gradient > kGradientTolerance && result.objective > 1e-22) {
    result.why = "the search stopped before the gradient vanished";
    return FitStatus::kNotConverged;
  }
  return FitStatus::kConverged;
}

}  // namespace

FitResult fit_least_squares(const Law& law, const FitData& data,
                            const VariableProjectionOptions& options) {
  FitResult result;
  const int held = options.fixed_exponent ? 1 : 0;
  const int distinct = data.distinct_scales();
  if (distinct < law.parameters() - held) {
    result.why = std::to_string(distinct) + " distinct sizes for " +
                 std::to_string(law.parameters() - held) + " parameters";
    return result;
  }
  const Projection projection(law, data, options.space);
  Search best = search_grid(projection, law.exponents(), options);
  result.starts = 1;
  if (best.inner.rss == kInfinity) {
    result.status = FitStatus::kDegenerate;
    result.why =
        "no exponent gives independent columns with positive coefficients: the loss does "
        "not fall with size";
    return result;
  }
  descend(projection, options, best);
  result.starts_at_best = 1;
  result.theta = projection.theta(best.exponents, best.inner);
  result.objective = best.inner.rss;
  result.scaled_gradient = relative_gradient(projection, best, held);
  result.status = judge(law, options, best, result, distinct);
  return result;
}

}  // namespace scalelaw
