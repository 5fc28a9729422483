// A comparison's numbers for scripts.
#pragma once

#include <nlohmann/json.hpp>

#include "analysis/compare.h"

namespace scalelaw {

nlohmann::json comparison_json(const Comparison& comparison);

}  // namespace scalelaw
