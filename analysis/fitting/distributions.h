// Quantiles and tail probabilities that intervals and tests need.
#pragma once

#include <span>

#include "analysis/fitting/interval.h"

namespace scalelaw {

// One of the independent estimates that add up to the variance of an estimate.
struct VariancePart {
  double variance = 0, df = 1;
};
// Degrees of freedom of their sum (Welch 1938, Satterthwaite 1946): between the smallest part's and
// the sum of all, not whole. The smallest where every part is 0. Needs a part.
double satterthwaite_df(std::span<const VariancePart> parts);

double student_t_cdf(double t, double df);              // df > 0
double student_t_quantile(double share, double df);     // share in (0, 1)
double f_upper_tail(double f, double df1, double df2);  // P(F > f)
double f_quantile(double share, double df1, double df2);
double chi_square_1_quantile(double share);  // one degree of freedom
double normal_quantile(double share);
// Share of tests at two-sided level alpha that reject when the true effect is `effect` and its
// estimate has standard error `standard_error` with df degrees of freedom (noncentral t, by
// integration over the chi distribution).
double t_test_power(double effect, double standard_error, double df, double alpha);
// The effect that such a test finds with probability `power`.
double detectable_effect(double standard_error, double df, double alpha, double power);

// The share of which `hits` of n were seen (Clopper & Pearson 1934), n > 0.
Interval exact_share_interval(int hits, int n, double level = 0.95);

}  // namespace scalelaw
