// What a launcher says of its sweep while it runs: lines of what has ended, and how far the rest
// is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sweeps/launch/pack_processes.h"
#include "sweeps/launch/run_display.h"
#include "sweeps/launch/sweep_cells.h"
#include "sweeps/status/work_left.h"
#include "trainer/clock.h"

namespace scalelaw {

class LaunchDisplay {
 public:
  // Everything outlives it.
  LaunchDisplay(const Plan& plan, SweepCells& cells, const PackProcesses& processes,
                RunDisplay& display)
      : plan_(plan), cells_(cells), processes_(processes), display_(display) {}

  void line(const std::string& text) { display_.line(text); }
  // A line of the `nth` cell that has ended; of the last one by default.
  void tell(const std::string& text) { tell(text, cells_.ended()); }
  // What is now complete, of a process that took `seconds`; none: of another launcher's. The time
  // that is left stands behind the last of them.
  void tell_complete(const PlannedPack& cells, std::optional<double> seconds);
  // The table, where it is time for it.
  void show(bool stopping);
  // A process of this launcher has ended and left the cell at `step`: what that says of the time
  // that is left.
  void ended(const CellInProgress& cell, int64_t step) { work_left_.ended(cell, step); }

 private:
  void tell(const std::string& text, int64_t nth);
  std::optional<double> seconds_left() const;  // nullopt where nothing is left, too

  const Plan& plan_;
  SweepCells& cells_;
  const PackProcesses& processes_;
  RunDisplay& display_;
  double start_ = monotonic_seconds(), looked_ = 0;
  WorkLeft work_left_{plan_};
};

}  // namespace scalelaw
