// Train sets of several sizes, of which the smaller should be samples of the larger.
#pragma once

#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "trainer/run_identity.h"

namespace scalelaw {

// Of sets that runs of one arm train on. Reads a few tokens of each.
std::vector<std::string> nesting_warnings(const Plan& plan, DataSetHeaders& data);

}  // namespace scalelaw
