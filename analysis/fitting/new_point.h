// Where one more observation will lie: the values that, taken for observed, would not make the fit
// significantly worse. For a straight line this is Student's prediction interval exactly; for a law
// with a floor it goes through every floor that the data allow, so it need not be symmetric and
// holds where the floor is not identified.
#pragma once

#include <optional>

#include "analysis/fitting/fit.h"
#include "analysis/fitting/interval.h"

namespace scalelaw {

// What is known from elsewhere of the noise of one such observation, in ln L: between seeds, of the
// test text.
struct KnownNoise {
  double variance = 0;
  double df = 0;  // of that variance, not whole; 0: nothing is known
};

struct NewPoint {
  CentredScale at;
  double weight = 1;  // of one such observation, as the data's: of 1 / variance
  KnownNoise known = {};
};

// By how much a weighted residual sum of squares with df degrees of freedom may rise: F(1, df) of
// its mean, or F(1, df + known.df) of its mean pooled with what is known (`variance` in the unit of
// the weighted squares), where that is more: residuals that happen to be small are not taken for
// all that is known of the noise.
double allowed_rise(double rss, double df, const KnownNoise& known, double level);

// Of ln L; `best` is the least-squares fit of `data` in ln L. An end that is not within a factor of
// 20 of the curve is infinite. nullopt where there is no interval: no curve, or no residual degree
// of freedom.
std::optional<Interval> new_point_interval(const Law& law, const FitData& data,
                                           const FitResult& best, const NewPoint& point,
                                           double level);

}  // namespace scalelaw
