#include "analysis/predict/predicting_law.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace scalelaw {

PredictingLaw predicting_law(const Law& law, const std::vector<LawParameter>& constants,
                             const std::string& over) {
  PredictingLaw out{std::string(law.id()), std::string(law.formula()), over, {}};
  const double none = std::exp(kNoFloor);
  for (const LawParameter& p : constants) {
    const double value = std::min(p.value, std::numeric_limits<double>::max());
    out.constants.push_back({p.symbol, value > none ? value : 0});
  }
  return out;
}

}  // namespace scalelaw
