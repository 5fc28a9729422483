// What a sweep's held-out cells will come to, by the program that analyses: the two meet in files,
// the sweep's record and RUNS/predictions/NAME.json.
#pragma once

#include <filesystem>
#include <string>

#include "sweeps/launch/run_display.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/sweep_folder.h"

namespace scalelaw {

struct PredictionAttempt {
  ProcessEnd end;       // of its process
  std::string no_room;  // its line that tells of a full disk; "": it told of none
};

// Has `analyst` (scalelaw-fit) predict and register them from the runs that have ended, and shows
// what it says, which needs no room on any disk and is this launcher's alone. std::runtime_error
// where the process cannot be started.
PredictionAttempt register_predictions(const std::filesystem::path& analyst, const Plan& plan,
                                       RunDisplay& display);

}  // namespace scalelaw
