// Where one more observation will lie: the values that, taken for observed, would not make the fit
// significantly worse. For a straight line this is Student's prediction interval exactly; for a law
// with a floor it goes through every floor that the data allow, so it need not be symmetric and
// holds where the floor is not identified.
#pragma once

#include <optional>

#include "analysis/fitting/fit.h"
#include "analysis/fitting/interval.h"

namespace scalelaw {

struct NewPoint {
  CentredScale at;
  double weight = 1;  // of one such observation, as the data's: of 1 / variance
};

// Of ln L; `best` is the least-squares fit of `data` in ln L. nullopt where there is none: no
// curve, no residual degree of freedom, or no end within a factor of 20 of the curve.
std::optional<Interval> new_point_interval(const Law& law, const FitData& data,
                                           const FitResult& best, const NewPoint& point,
                                           double level);

}  // namespace scalelaw
