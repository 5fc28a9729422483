// Where a plan leaves what its fits were fitted to, and batches beyond the critical one.
#pragma once

#include <string>
#include <vector>

#include "sweeps/plan/plan.h"

namespace scalelaw {

// One line a rule and a fit, however many cells it concerns.
std::vector<std::string> fit_warnings(const SweepSpec& spec, const Plan& plan);

}  // namespace scalelaw
