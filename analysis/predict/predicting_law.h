// A law as a prediction holds it.
#pragma once

#include <string>
#include <vector>

#include "analysis/laws/law.h"
#include "trainer/prediction.h"

namespace scalelaw {

// `over`: which runs it was fitted to. Constants beyond what a double holds stand at its limits, a
// floor that is none (kNoFloor) at 0.
PredictingLaw predicting_law(const Law& law, const std::vector<LawParameter>& constants,
                             const std::string& over);

}  // namespace scalelaw
