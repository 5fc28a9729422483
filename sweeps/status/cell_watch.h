// A sweep's cells as somebody sees them who only looks, again and again: takes no lease, ends none,
// and writes nothing but the store's index, at the first look.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"
#include "trainer/run_lease.h"

namespace scalelaw {

// Begins `why` of an interrupted run whose lease stands still, and of no other.
inline constexpr const char* kNoSignOfLife = "no sign of life from ";

class CellWatch {
 public:
  // Looks at each. `plan` outlives it.
  explicit CellWatch(const Plan& plan);

  // Looks again: at what has not ended each time; of what has, at every sixteenth whether its
  // record is still the one that was read. Notes of launchers are read where one has changed. A
  // run whose lease stands still for a minute (trainer/run_lease.h) is not running. `is_to_stop`:
  // returns early, with some cells as they were.
  void look(const std::atomic<bool>& is_to_stop = kToTheEnd);
  const std::vector<CellStatus>& statuses() const { return statuses_; }

 private:
  static constexpr std::atomic<bool> kToTheEnd{false};
  void look(std::size_t cell);
  void doubt(std::size_t cell);
  void read_changed_notes();
  std::string stamp(std::size_t cell) const;

  const Plan& plan_;
  std::vector<CellStatus> statuses_;
  std::vector<std::string> stamps_;  // of the records of what has ended
  std::map<std::size_t, LeaseWatch> leases_;
  LaunchNotes notes_;
  std::string stamp_of_notes_;
  std::size_t looks_ = 0;
};

}  // namespace scalelaw
