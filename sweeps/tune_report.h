// A plan's tuned rates, for people and for scripts.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sweeps/plan.h"

namespace scalelaw {

// A table of scans and each arm's law, in lines; "" without scans.
std::string tuned_text(const Plan& plan);
nlohmann::ordered_json tuned_json(const TunedRates& tuned);

}  // namespace scalelaw
