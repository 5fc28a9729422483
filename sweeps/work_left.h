// How long a launcher still needs, from what it has done so far. Work is counted in FLOPs; in
// tokens where an architecture gives no count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sweeps/cell_status.h"
#include "sweeps/plan.h"

namespace scalelaw {

struct CellInProgress {
  std::size_t cell = 0;    // of the plan
  int64_t first_step = 0;  // done by earlier attempts
};

class WorkLeft {
 public:
  explicit WorkLeft(const Plan& plan) : plan_(plan) {}

  // The cell is complete; its steps after first_step were done here.
  void completed(const CellInProgress& ended);

  // nullopt before anything was done or within the first second. `statuses` of all cells, their
  // steps up to date for those `running` here.
  std::optional<double> seconds(const std::vector<CellStatus>& statuses,
                                const std::vector<CellInProgress>& running,
                                double elapsed_seconds) const;

 private:
  const Plan& plan_;
  double completed_here_ = 0;
};

}  // namespace scalelaw
