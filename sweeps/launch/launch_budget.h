// What a launcher starts within its sweep's budget, and what it holds back.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/device/packing.h"
#include "sweeps/launch/sweep_cells.h"
#include "sweeps/plan/plan.h"
#include "sweeps/plan/spending.h"

namespace scalelaw {

class LaunchBudget {
 public:
  // Both outlive it.
  LaunchBudget(const Plan& plan, const SweepCells& cells)
      : cells_(cells), spending_(plan, cells.all()) {}

  // In the order to start them in: Spending::in_turn().
  std::vector<PlannedPack> in_turn(std::vector<PlannedPack> packs) const {
    return spending_.in_turn(std::move(packs));
  }
  // ConfigError where the whole sweep does not fit; why, "" where it does, of a `later_stage`,
  // whose launcher ends in order.
  const std::string& check_whole(bool later_stage);

  // Whether there is room for the pack beside what runs. Where there is none it is held; with a new
  // one all new ones are, so that none overtakes it, and what was begun goes on by itself.
  bool has_room_for(const PlannedPack& pack);
  // Nothing is held any more, and what others have begun and ended is seen: once a run has ended,
  // which may have failed or cost less than was planned of it.
  void ask_again();

  void started(const PlannedPack& pack) { spending_.started(pack); }
  // They are not under way here (any more), and as `cells` last saw them.
  void update(const PlannedPack& cells) { spending_.update(cells, cells_.all()); }

  // Of the first that is held; "": nothing is.
  const std::string& reached_because() const {
    return over_because_.empty() ? held_because_ : over_because_;
  }
  int64_t interrupted_and_held() const;  // runs
  // What runs elsewhere, where something is held: it may be why.
  PlannedPack held_beside() const;

 private:
  bool holds(const PlannedPack& pack) const;

  const SweepCells& cells_;
  Spending spending_;
  std::string over_because_;  // the whole of a later stage
  std::string held_because_;
  std::set<std::size_t> held_;  // cells
  bool holds_all_new_ = false;
};

}  // namespace scalelaw
