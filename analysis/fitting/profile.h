// Profile intervals: one entry of theta is held at each value while the others are refitted; the
// values whose fit is not significantly worse form the set. The set may be one-sided or the whole
// axis; then the parameter is not identified and no "+-" may be printed.
#pragma once

#include <optional>

#include "analysis/fitting/interval.h"
#include "analysis/fitting/robust_refine.h"

namespace scalelaw {

enum class ProfileKind {
  kGaussian,  // F(1, rows - parameters) on the residual sum of squares in ln L
  kHuber,     // likelihood ratio, chi-square(1), of the Huber density with its scale profiled out
              // (rows ln F). Only for delta far below the residual sd, where that density is a
              // Laplace one: coverage .87 to .94 at a nominal .95. At delta 1.345 sd and eight
              // sizes it covers .70.
};

struct ProfileInterval {
  FitStatus status = FitStatus::kTooFewPoints;  // of the best fit; the set needs a curve
  double low = 0, high = 0;                     // where bounded
  bool low_bounded = false, high_bounded = false;
  int residual_df = 0;
  // Values whose refit converged from neither start: counted as inside, so the set may be too wide.
  int unconverged = 0;
  bool identified() const { return low_bounded && high_bounded && residual_df > 0; }
};

// The floor E, in the loss's unit. low_bounded is false when E = 0 is in the set, high_bounded when
// E arbitrarily near the smallest loss is.
ProfileInterval profile_floor(const Law& law, const FitData& data, const FitResult& best,
                              ProfileKind kind, double huber_delta, double level = 0.95);

// The first exponent of the least-squares fit with the floor held at the ends of `floor` (at 0
// where the set is not bounded below). nullopt where the set has no upper end, or a refit at an end
// converges from neither start: a number from it would be where the search happened to stop.
std::optional<Interval> exponent_over_set(const Law& law, const FitData& data,
                                          const FitResult& best, const ProfileInterval& floor);

}  // namespace scalelaw
