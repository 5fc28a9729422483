// Where two fitted lines cross, as the set of N that a t test does not reject.
#pragma once

#include "analysis/crossing_set.h"

namespace scalelaw {

// Two independent lines ln L = level - slope (ln N - centre), each fitted about its own centre.
struct TwoLines {
  double slope_difference = 0;    // a minus b
  double ln_loss_difference = 0;  // a minus b at at_ln_n, the centre of a
  double at_ln_n = 0;
  double level_variance_a = 0, level_variance_b = 0;
  double slope_variance_a = 0, slope_variance_b = 0;
  double centre_ln_n_b = 0;
  // Added by the finite test text to both lines: variances of the two differences above, and their
  // covariance.
  double text_level_variance = 0, text_slope_variance = 0, text_covariance = 0;
  double t = 2;  // quantile
};

CrossingSet crossing_set(const TwoLines& lines);

}  // namespace scalelaw
