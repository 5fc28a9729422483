// A plan's tuned rates, for people and for scripts.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sweeps/plan/plan.h"

namespace scalelaw {

// "stages:  24 trials, then 68 cells (those that wait take what the trials tell), then 2 held out
// until predicted as NAME"; those that NAME holds already "held out, predicted as NAME
// (registered)". Held-out cells that are excluded, or complete without it, are cells like others.
// "" without trials and where nothing waits for a prediction or has one.
std::string stages_text(const Plan& plan);
// A table of scans and each arm's law, in lines; "" without scans.
std::string tuned_text(const Plan& plan);
// Sentences about scans at an edge, laws far from their scans, arms tuned unequally.
std::vector<std::string> tuning_warnings(const TunedRates& tuned);
nlohmann::ordered_json tuned_json(const TunedRates& tuned);

}  // namespace scalelaw
