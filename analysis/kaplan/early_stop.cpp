#include "analysis/kaplan/early_stop.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace scalelaw {

EarlyStop early_stop(const TrainingCurve& curve, const SmoothCurve& smoothed,
                     const CriticalBatch* critical) {
  const auto least = std::ranges::min_element(smoothed.loss);
  EarlyStop stop;
  stop.name = curve.name;
  stop.n = curve.n;
  stop.unique = curve.unique;
  stop.loss = *least;
  stop.rose = std::next(least) != smoothed.loss.end();
  if (critical != nullptr) {
    const double step = smoothed.step[static_cast<std::size_t>(least - smoothed.loss.begin())];
    stop.s_min = step / (1 + critical->at(*least) / curve.batch);
  }
  stop.bound = std::numeric_limits<double>::quiet_NaN();
  return stop;
}

double early_stop_bound(double n, double loss, const SizeAndSteps& law) {
  const double above = loss - std::pow(law.n_c / n, law.a_n);
  if (!(above > 0)) return std::numeric_limits<double>::quiet_NaN();
  return law.s_c / std::pow(above, 1 / law.a_s);
}

}  // namespace scalelaw
