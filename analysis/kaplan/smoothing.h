// A training curve without its evaluations' noise: at log-spaced steps after the warm-up, the value
// there of a parabola of ln L in ln S, fitted by least squares with tricube weights (Cleveland
// 1979) to the evaluations within a factor of `reach` to either side. A parabola, since a line
// would lie .3% too high in the bend of a curve by K1.6 at a reach of 2.
#pragma once

#include <string>
#include <vector>

#include "analysis/kaplan/training_curve.h"

namespace scalelaw {

struct SmoothingOptions {
  double reach = 2;         // > 1
  int fewest = 6;           // evaluations under a parabola: where there are fewer, it reaches wider
  double per_decade = 16;   // steps at which it is taken
  double least_spread = 2;  // of S, last over first: less is no curve
};

struct SmoothCurve {
  std::size_t run = 0;  // index of its training curve
  double n = 0, batch = 0;
  std::vector<double> step, loss;  // empty: see why
  int evaluations = 0;             // behind it
  int in_warmup = 0;               // evaluations left out
  double noise = 0;                // rms of ln L about it, per degree of freedom left
  std::string why;                 // too short
};

SmoothCurve smooth(const TrainingCurve& curve, std::size_t run, const SmoothingOptions& options);

}  // namespace scalelaw
