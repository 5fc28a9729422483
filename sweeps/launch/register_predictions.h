// What a sweep's held-out cells will come to, by the program that analyses: the two meet in files,
// the sweep's record and RUNS/predictions/NAME.json.
#pragma once

#include <filesystem>

#include "sweeps/launch/run_display.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/sweep_folder.h"

namespace scalelaw {

// Has `analyst` (scalelaw-fit) predict and register them from the runs that have ended, and shows
// what it says. How its process ended.
ProcessEnd register_predictions(const std::filesystem::path& analyst, const Plan& plan,
                                RunDisplay& display);

}  // namespace scalelaw
