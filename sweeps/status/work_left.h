// How long a sweep still needs: a launcher's by what it has done so far, anybody's by what the runs
// say at this moment. Work is counted in FLOPs; in tokens where an architecture gives no count.
// Failed runs are not waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

struct CellInProgress {
  std::size_t cell = 0;    // of the plan
  int64_t first_step = 0;  // done by earlier attempts
};

class WorkLeft {
 public:
  explicit WorkLeft(const Plan& plan) : plan_(plan) {}

  // A process of this launcher has brought the cell to `step` and ended, whether or not the cell
  // has; its steps after first_step were done here, those too that are to be done again.
  void ended(const CellInProgress& cell, int64_t step);

  // nullopt before anything was done or within the first second. `statuses` of all cells, their
  // steps up to date for those `running` here.
  std::optional<double> seconds(const std::vector<CellStatus>& statuses,
                                const std::vector<CellInProgress>& running,
                                double elapsed_seconds) const;

 private:
  const Plan& plan_;
  double done_by_ended_ = 0;
};

// What the running cells do by their newest lines, whichever launchers have them.
struct PresentWork {
  int64_t running = 0;                      // cells
  std::optional<double> tokens_per_second;  // of those that have said; nullopt: none has
  std::optional<double> flops_per_second;   // the same, of the plan's c_count; nullopt also where
                                            // an architecture gives no count
  double tokens_left = 0;                   // of all cells
  std::optional<double> flops_left;         // nullopt: of some cell not known
  // max(the longest running cell's own time, all work / present rate), a cell that has not said its
  // rate yet taken for as fast as the others: as long as what ends is followed by what waits, and
  // nothing that waits is longer. nullopt: nothing is left, or no rate is known.
  std::optional<double> seconds_left;
  // By the plan's own times, of all that is left on this machine, where no rate is known; nullopt
  // also on a GPU and where an architecture gives no count.
  std::optional<double> planned_seconds_left;
};
// `statuses`: of the plan's cells, in their order.
PresentWork present_work(const Plan& plan, const std::vector<CellStatus>& statuses);

// "now: 5.2k tokens/s, 3.1B FLOP/s; time left: about 12 min, for 1.3e15 FLOPs (exact_causal)", or
// for so many tokens; "about 5 min by the plan, when it runs"; "" where nothing is left.
std::string work_text(const Plan& plan, const PresentWork& work);

}  // namespace scalelaw
