// A sweep's cells as a launcher last saw them, those that other processes have included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sweeps/device/packing.h"
#include "sweeps/launch/elsewhere.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

class SweepCells {
 public:
  // Looks at each. `plan` outlives it.
  explicit SweepCells(const Plan& plan);

  const CellStatus& operator[](std::size_t cell) const { return statuses_[cell]; }
  CellStatus& operator[](std::size_t cell) { return statuses_[cell]; }
  const std::vector<CellStatus>& all() const { return statuses_; }
  std::vector<CellStatus>& all() { return statuses_; }
  int64_t ended() const;

  // As they are now. One that failed stays so where the note of it could not be written.
  std::vector<CellStatus> at_the_end() const;

  // Looks at one anew; from then on it is watched where another process has it.
  const CellStatus& look(std::size_t cell);
  bool watches(std::size_t cell) const { return elsewhere_.watches(cell); }
  // Those of `pack` that no other process has, has ended, or has found too large: another launcher
  // may have been here.
  PlannedPack not_taken(const PlannedPack& pack);

  // Cells that another process had, and has no more without having ended them. Its lease is asked
  // now and then, or at once.
  enum class Ask { kNowAndThen, kAtOnce };
  PlannedPack freed_elsewhere(Ask ask);
  // Cells that a living process has, as of the last look.
  std::size_t held_elsewhere() const { return elsewhere_.held(); }
  // Some that were given up a moment ago: their launcher may start them again.
  bool may_come_back() const { return elsewhere_.may_come_back(); }
  // A process of which it is not known yet whether it lives; "" without one.
  std::string in_doubt() const { return elsewhere_.in_doubt(); }

 private:
  const CellStatus& look(std::size_t cell, const LaunchNotes& notes);

  const Plan& plan_;
  std::vector<CellStatus> statuses_;
  CellsElsewhere elsewhere_;
};

}  // namespace scalelaw
