#include "sweeps/tuning/rate_law.h"

#include <Eigen/LU>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <set>

#include "sweeps/tuning/rate_scan.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kSameSize = 1.02;  // ladders meet a size to within about 1 %
constexpr int kChosenDigits = 3;

std::string power(const char* symbol, double at, double exponent,
                  const std::optional<double>& standard_error) {
  return " (" + std::string(symbol) + " / " + human(at) + ")^" + human(exponent) +
         (standard_error ? " (se " + human(*standard_error) + ")" : "");
}

}  // namespace

std::size_t different_sizes(std::vector<double> sizes) {
  std::ranges::sort(sizes);
  std::size_t count = 0;
  double last = 0;
  for (const double value : sizes) {
    if (count > 0 && value <= last * kSameSize) continue;
    last = value;
    ++count;
  }
  return count;
}

double RateLaw::rate_at(double file_rate, double n_params, double train_tokens) const {
  const double correction = factor * std::pow(n_params / n, exponent_n.value_or(0)) *
                            std::pow(train_tokens / d, exponent_d.value_or(0));
  return rounded_rate(file_rate * correction, kChosenDigits);
}

std::optional<RateLaw> fit_rate_law(const std::vector<RatePoint>& points) {
  if (points.empty()) return std::nullopt;
  const auto rows = static_cast<Eigen::Index>(points.size());
  Eigen::VectorXd y(rows), x_n(rows), x_d(rows);
  std::vector<double> sizes, tokens;
  for (Eigen::Index i = 0; i < rows; ++i) {
    const RatePoint& point = points[static_cast<std::size_t>(i)];
    y[i] = std::log(point.best_rate / point.file_rate);
    x_n[i] = std::log(point.n_params);
    x_d[i] = std::log(point.train_tokens);
    sizes.push_back(point.n_params);
    tokens.push_back(point.train_tokens);
  }
  RateLaw law;
  law.points = static_cast<int>(rows);
  law.n = std::exp(x_n.mean());
  law.d = std::exp(x_d.mean());
  law.factor = std::exp(y.mean());
  const auto [lowest_n, highest_n] = std::ranges::minmax(sizes);
  const auto [lowest_d, highest_d] = std::ranges::minmax(tokens);
  law.lowest_n = lowest_n, law.highest_n = highest_n;
  law.lowest_d = lowest_d, law.highest_d = highest_d;

  const bool has_n = different_sizes(sizes) >= kSizesForExponent;
  bool has_d = different_sizes(tokens) >= kSizesForExponent;
  Eigen::MatrixXd columns(rows, 2);
  columns.col(0) = x_n.array() - x_n.mean();
  columns.col(1) = x_d.array() - x_d.mean();
  if (has_n && has_d) {  // D that goes with N, as 20 tokens a parameter, tells them not apart
    const double together =
        columns.col(0).dot(columns.col(1)) / (columns.col(0).norm() * columns.col(1).norm());
    has_d = std::abs(together) < 0.95 && rows > 3;
  }
  if (!has_n && !has_d) return law;
  const Eigen::MatrixXd used =
      has_n && has_d ? columns : Eigen::MatrixXd(columns.col(has_n ? 0 : 1));
  const Eigen::VectorXd centred = y.array() - y.mean();
  const Eigen::VectorXd exponents = used.colPivHouseholderQr().solve(centred);
  const auto left_over = static_cast<double>(rows - used.cols() - 1);
  std::optional<double> variance;
  if (left_over > 0) variance = (centred - used * exponents).squaredNorm() / left_over;
  const Eigen::MatrixXd inverse = (used.transpose() * used).inverse();
  Eigen::Index column = 0;
  const auto take = [&](bool is_used, std::optional<double>& exponent,
                        std::optional<double>& standard_error) {
    if (!is_used) return;
    exponent = exponents[column];
    if (variance) standard_error = std::sqrt(*variance * inverse(column, column));
    ++column;
  };
  take(has_n, law.exponent_n, law.standard_error_n);
  take(has_d, law.exponent_d, law.standard_error_d);
  return law;
}

std::string formula(const RateLaw& law) {
  std::string text = "the file's rate * " + human(law.factor);
  if (law.exponent_n) text += power("N", law.n, *law.exponent_n, law.standard_error_n);
  if (law.exponent_d) text += power("D", law.d, *law.exponent_d, law.standard_error_d);
  return text;
}

}  // namespace scalelaw
