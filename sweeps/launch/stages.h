// A sweep whose cells wait for others: what is known is run, the plan made anew with what that has
// told, and so on until nothing more becomes known.
#pragma once

#include <filesystem>
#include <functional>

#include "sweeps/launch/run_sweep.h"
#include "sweeps/plan/plan.h"

namespace scalelaw {

// Once nothing but held-out cells is left, has `analyst` (the program scalelaw-fit) predict them:
// `predict RECORD --register`. `plan` becomes the last one that was run. As run_sweep(); the
// result's exit code is 1 where what still waits will do so for ever, or could not be predicted, 3
// where the disk had no room for the prediction or its process was killed.
// ConfigError, with nothing started, of a plan's held_out_fault; where one comes of what trials
// told, all that does not wait for it is run.
RunSweepResult run_stages(Plan& plan, const std::function<Plan()>& replan,
                          const RunSweepOptions& options, const std::filesystem::path& analyst,
                          RunDisplay& display);

}  // namespace scalelaw
