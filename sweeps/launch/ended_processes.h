// What becomes of a process that has ended: of its cells, in the notes, in lines.
#pragma once

#include "sweeps/launch/attempt_verdict.h"
#include "sweeps/launch/launch_budget.h"
#include "sweeps/launch/launch_display.h"
#include "sweeps/launch/launch_stop.h"
#include "sweeps/launch/pack_processes.h"
#include "sweeps/launch/run_queue.h"
#include "sweeps/launch/sweep_cells.h"
#include "sweeps/status/sweep_folder.h"

namespace scalelaw {

class EndedProcesses {
 public:
  // All outlive it.
  EndedProcesses(const Plan& plan, AttemptJudge& judge, SweepCells& cells, RunQueue& queue,
                 LaunchBudget& budget, LaunchStop& stop, LaunchDisplay& display)
      : plan_(plan),
        folder_(sweep_folder(plan.options.runs, plan.name)),
        judge_(judge),
        cells_(cells),
        queue_(queue),
        budget_(budget),
        stop_(stop),
        display_(display) {}

  void take(const PackProcess& process, const ProcessEnd& end);

 private:
  void take_left(AttemptLeft& left, AttemptEnd at);
  void note_limits(const AttemptLeft& left);
  void note_unfinished(const AttemptLeft& left);

  const Plan& plan_;
  SweepFolder folder_;
  AttemptJudge& judge_;
  SweepCells& cells_;
  RunQueue& queue_;
  LaunchBudget& budget_;
  LaunchStop& stop_;
  LaunchDisplay& display_;
};

}  // namespace scalelaw
