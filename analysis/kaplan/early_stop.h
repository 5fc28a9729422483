// Runs that read their text more than once, and the least steps after which their test loss can
// stop to fall (Kaplan et al. 2020, 5.7): until there it follows that of endless text, so
// S_stop >= S_c / [L(N, D) - L(N, inf)]^(1/a_S), in S_min, with L(N, inf) = (N_c / N)^a_N.
#pragma once

#include <optional>
#include <string>

#include "analysis/fitting/interval.h"
#include "analysis/kaplan/critical_batch.h"
#include "analysis/kaplan/size_and_steps.h"
#include "analysis/kaplan/smoothing.h"

namespace scalelaw {

struct EarlyStop {
  std::string name;
  double n = 0, unique = 0;  // parameters, tokens of the training text
  double loss = 0;           // L(N, D): the least of the smoothed curve
  double s_min = 0;          // there; 0 without a law of B_crit
  bool rose = false;         // after it; else the run ended too early to tell
  double bound = 0;          // NaN where the loss is not above L(N, inf), or without L(N, S_min)
  std::optional<Interval> bound_interval;
};

// `smoothed` is not empty.
EarlyStop early_stop(const TrainingCurve& curve, const SmoothCurve& smoothed,
                     const CriticalBatch* critical);
// NaN where `loss` is not above L(N, inf).
double early_stop_bound(double n, double loss, const SizeAndSteps& law);

}  // namespace scalelaw
