// Packs that are worth beginning anew without the rows of runs that have ended: such a row, of a
// run that diverged, is computed until the last run of its pack ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/launch/pack_processes.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

// Seconds that `rows` rows side by side need longer for `steps` more steps than `training` of them
// would, where a step now takes `seconds_a_step`: by the device's law of the step, or, where it has
// none for the cell's architecture and precision, by the assumed one. 0 where neither says.
double seconds_of_ended_rows(const PlanOptions& options, const PlannedCell& cell, int64_t rows,
                             int64_t training, int64_t steps, double seconds_a_step);

struct PackToShrink {
  pid_t process = 0;
  int64_t rows = 0, training = 0;
  double seconds_saved = 0;
};

class Repacking {
 public:
  explicit Repacking(const Plan& plan) : plan_(plan) {}  // which outlives it

  // The packs among `processes`, not yet asked to end, whose ended rows would cost more than twice
  // the time that the process took from its start to its first line of metrics, which is what
  // beginning anew costs. `statuses`: of all cells, with the steps last seen. To be asked again and
  // again: a step's time is what passes between its looks.
  std::vector<PackToShrink> worth_it(const std::map<pid_t, PackProcess>& processes,
                                     const std::vector<CellStatus>& statuses);

 private:
  struct Seen {
    int64_t step = 0;
    double at = 0;  // monotonic seconds
  };
  struct Progress {
    double started_at = 0;  // of the process: ids are used again
    std::optional<Seen> first, last;
  };

  std::optional<PackToShrink> look(pid_t pid, const PackProcess& process,
                                   const std::vector<CellStatus>& statuses);

  const Plan& plan_;
  std::map<pid_t, Progress> progress_;
};

}  // namespace scalelaw
