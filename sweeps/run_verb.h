// The verb `run` of scalelaw-sweep: what it shows, and what it says at the end.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "sweeps/launch/run_sweep.h"
#include "sweeps/plan/plan.h"

namespace scalelaw {

// What further commands about the sweep are made of.
struct SweepCommand {
  std::string words;  // the file and options that another verb takes
  std::string whole;  // this one again
};

// Stage after stage (sweeps/launch/stages.h), `analyst` being scalelaw-fit; on stdout what runs,
// the states at the end, why it ended and the command that goes on. The exit code.
int run_verb(Plan plan, const std::function<Plan()>& replan, const RunSweepOptions& options,
             const std::filesystem::path& analyst, const SweepCommand& command);

}  // namespace scalelaw
