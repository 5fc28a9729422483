// Who has the lower loss at equal N, in words.
#pragma once

#include <string>

#include "analysis/compare.h"

namespace scalelaw {

// Of how many sizes that can be set side by side, and at which, either arm has the lower loss by t
// at `level`. Where seed noise is not known any difference counts, and the sentence says so.
std::string who_leads(const Comparison& comparison, double level);

}  // namespace scalelaw
