// `scalelaw runs verify`: are registered predictions what was registered.
#pragma once

#include "sweeps/store/verify_runs.h"

namespace scalelaw {

// Reads every file of RUNS/predictions/ (trainer/prediction.h) and adds to `result` its files and
// bytes, and a fault for each that is damaged or was edited; its "run" is the folder's name.
void verify_predictions(const std::filesystem::path& runs, VerifyResult& result);

}  // namespace scalelaw
