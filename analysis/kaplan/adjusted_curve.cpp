#include "analysis/kaplan/adjusted_curve.h"

namespace scalelaw {

AdjustedCurve adjust(const SmoothCurve& curve, const CriticalBatch* critical) {
  AdjustedCurve result{curve.run, curve.n, curve.batch, {}};
  for (std::size_t i = 0; i < curve.step.size(); ++i) {
    CurvePoint point{curve.n, curve.loss[i], 6 * curve.n * curve.batch * curve.step[i],
                     curve.step[i]};
    if (critical != nullptr) {
      const double ratio = critical->at(point.loss) / curve.batch;
      point.s_min = point.s / (1 + ratio);
      point.c_min = point.c / (1 + 1 / ratio);
      if (!result.points.empty() && point.c_min <= result.points.back().c_min) continue;
    }
    result.points.push_back(point);
  }
  return result;
}

}  // namespace scalelaw
