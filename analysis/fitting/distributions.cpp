#include "analysis/fitting/distributions.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>

#include <unsupported/Eigen/SpecialFunctions>

namespace scalelaw {
namespace {

double incomplete_beta(double a, double b, double x) {
  return Eigen::numext::betainc(a, b, x);
}

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

// The root of an increasing function on [low, high].
double bisect(double low, double high, const std::function<double(double)>& increasing) {
  for (int i = 0; i < 200 && high - low > 1e-14 * (1 + std::abs(low) + std::abs(high)); ++i) {
    const double middle = 0.5 * (low + high);
    (increasing(middle) < 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

double satterthwaite_df(std::span<const VariancePart> parts) {
  double whole = 0, squares = 0, smallest = parts.front().df;
  for (const VariancePart& part : parts) {
    whole += part.variance;
    squares += part.variance * part.variance / part.df;
    smallest = std::min(smallest, part.df);
  }
  return squares > 0 ? whole * whole / squares : smallest;
}

double student_t_cdf(double t, double df) {
  assert(df > 0);
  if (t == 0) return 0.5;
  const double tail = 0.5 * incomplete_beta(0.5 * df, 0.5, df / (df + t * t));
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double share, double df) {
  assert(share > 0 && share < 1);
  double reach = 1;
  while (student_t_cdf(reach, df) < share || student_t_cdf(-reach, df) > share) reach *= 2;
  return bisect(-reach, reach, [&](double t) { return student_t_cdf(t, df) - share; });
}

double f_upper_tail(double f, double df1, double df2) {
  if (f <= 0) return 1;
  return incomplete_beta(0.5 * df2, 0.5 * df1, df2 / (df2 + df1 * f));
}

double f_quantile(double share, double df1, double df2) {
  double reach = 1;
  while (1 - f_upper_tail(reach, df1, df2) < share) reach *= 2;
  return bisect(0, reach, [&](double f) { return 1 - f_upper_tail(f, df1, df2) - share; });
}

double normal_quantile(double share) {
  return bisect(-40, 40, [&](double z) { return normal_cdf(z) - share; });
}

double chi_square_1_quantile(double share) {
  const double z = normal_quantile(0.5 + 0.5 * share);
  return z * z;
}

double t_test_power(double effect, double standard_error, double df, double alpha) {
  const double critical = student_t_quantile(1 - 0.5 * alpha, df);
  const double shift = effect / standard_error;
  // T = (Z + shift) / S with S = sqrt(chi2_df / df); ln density of S up to its constant.
  const auto log_density = [&](double s) { return (df - 1) * std::log(s) - 0.5 * df * s * s; };
  const double mode = df > 1 ? std::sqrt((df - 1) / df) : 0.5;
  const double top = log_density(mode);
  double mass = 0, rejected = 0;
  const double reach = 1 + 8 / std::sqrt(2 * df);
  constexpr int kSteps = 2000;
  for (int i = 0; i < kSteps; ++i) {
    const double s = reach * (i + 0.5) / kSteps;
    const double density = std::exp(log_density(s) - top);
    mass += density;
    rejected +=
        density * (1 - normal_cdf(critical * s - shift) + normal_cdf(-critical * s - shift));
  }
  return rejected / mass;
}

double detectable_effect(double standard_error, double df, double alpha, double power) {
  if (standard_error <= 0) return 0;
  double reach = standard_error;
  while (t_test_power(reach, standard_error, df, alpha) < power) reach *= 2;
  return bisect(0, reach, [&](double effect) {
    return t_test_power(effect, standard_error, df, alpha) - power;
  });
}

Interval exact_share_interval(int hits, int n, double level) {
  const auto low = [&](double a, double b) {  // a hits, b misses
    return a == 0 ? 0 : a / (a + (b + 1) * f_quantile(0.5 + 0.5 * level, 2 * (b + 1), 2 * a));
  };
  return {low(hits, n - hits), 1 - low(n - hits, hits)};
}

}  // namespace scalelaw
