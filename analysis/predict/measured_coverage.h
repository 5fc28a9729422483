// What was measured of intervals that hold more often than their level says.
#pragma once

#include <string>

#include "analysis/fitting/new_point.h"

namespace scalelaw {

// Goes on after a sentence on what an interval rests on. The wider of two scales is taken where
// noise is known beside the residuals (allowed_rise()); simulated at 95% alone
// (docs/studies/coverage.md). "": it holds as often as it says, or that is not known.
inline std::string measured_coverage(const KnownNoise& known, double level) {
  if (!(known.df > 0) || level != 0.95) return "";
  return "; of two measures of the noise the interval takes the larger, and of simulated ones that "
         "say 95% from 95% to 100% held the loss";
}

}  // namespace scalelaw
