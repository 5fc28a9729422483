// A plan's tuned rates, for people and for scripts.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sweeps/plan.h"

namespace scalelaw {

// "stages:  24 trials, then 68 cells that take what they tell, then 2 held out until they are
// predicted (as NAME)"; "" where nothing waits and nothing is held out.
std::string stages_text(const Plan& plan);
// A table of scans and each arm's law, in lines; "" without scans.
std::string tuned_text(const Plan& plan);
// Sentences about scans at an edge, laws far from their scans, arms tuned unequally.
std::vector<std::string> tuning_warnings(const TunedRates& tuned);
nlohmann::ordered_json tuned_json(const TunedRates& tuned);

}  // namespace scalelaw
