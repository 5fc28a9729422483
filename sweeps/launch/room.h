// Whether this machine has room for what a launcher runs and is about to start: disk and memory, as
// they are at the moment.
#pragma once

#include <string>
#include <vector>

#include "sweeps/device/packing.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/work_left.h"

namespace scalelaw {

// Before anything starts: what will not go well, in lines. ConfigError where there is no room for
// what runs at once. `statuses` of all cells.
std::vector<std::string> check_room(const Plan& plan, const std::vector<CellStatus>& statuses);

class Room {
 public:
  explicit Room(const Plan& plan) : plan_(plan) {}

  // Why what runs cannot save itself much longer: the disk has no room for one more checkpoint of
  // each. "" where it has, or cannot be asked. Asks the file system every few seconds at most.
  std::string why_pause(const std::vector<CellInProgress>& running);
  // The same at once, with what `next` takes beside them (bytes_to_train()).
  std::string why_no_disk(const std::vector<CellInProgress>& running,
                          const PlannedPack& next) const;
  // Why the last of `next` should wait until a process has ended: less memory is available than a
  // step of them takes by the estimate. Processes that are still growing are not seen. On the CPU
  // alone.
  std::string why_no_memory(const PlannedPack& next) const;

 private:
  const Plan& plan_;
  double asked_at_ = 0;  // monotonic seconds
};

}  // namespace scalelaw
