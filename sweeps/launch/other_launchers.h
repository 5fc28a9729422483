// What a launcher does about runs that others have: takes what they leave, and looks on where its
// own cells wait for what they tell.
#pragma once

#include <string>

#include "sweeps/launch/launch_display.h"
#include "sweeps/launch/run_queue.h"
#include "sweeps/launch/sweep_cells.h"

namespace scalelaw {

class OtherLaunchers {
 public:
  // All outlive it.
  OtherLaunchers(const Plan& plan, SweepCells& cells, RunQueue& queue, LaunchDisplay& display)
      : plan_(plan), cells_(cells), queue_(queue), display_(display) {}

  // What they had and have no more is queued; whether it may start.
  bool take_back(SweepCells::Ask ask);
  // Where nothing runs here and nothing may start: whether to look on, for what they leave or for
  // what cells here wait to be told. Says once for what.
  bool are_waited_for();
  // Whether to look on for what they leave alone.
  bool leave_some();

 private:
  void tell(const std::string& what);

  const Plan& plan_;
  SweepCells& cells_;
  RunQueue& queue_;
  LaunchDisplay& display_;
  std::string told_;
};

}  // namespace scalelaw
