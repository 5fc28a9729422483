// What a sweep may cost: the budget of its file, and how many runs a command line allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sweeps/device/packing.h"
#include "sweeps/plan/plan.h"
#include "sweeps/plan/wall_hours.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

// ConfigError, with what to add to the command, where more than `most` runs are in the packs, wait
// for those, or may be asked for beyond an edge of a scan.
void check_number_of_runs(const Plan& plan, const std::vector<PlannedPack>& packs, int64_t most);

// What the sweep's runs have cost and would, beside its budget (SweepBudget). A run that has ended
// costs what its ledger says, another what its plan says or, where that is more, what it has cost
// already and its steps that are left. Of a GPU and of the machine an attempt has the part that it
// noted (Company) whatever is planned now; one that noted none is divided as the plan would. FLOPs
// are the plan's and leave out what was trained twice; the price is that of the time by the clock,
// as plan_totals() has it.
class Spending {
 public:
  // `statuses` of all cells; their ledgers are read, where there is a budget.
  Spending(const Plan& plan, const std::vector<CellStatus>& statuses);

  // ConfigError where the whole sweep comes to more than its budget, and the file does not say that
  // nothing new is started then.
  void check_whole() const;
  // "" where the pack may be started: with what runs, here or elsewhere, to its end, and, where it
  // is new, with what was begun. Of a pack that has ended nothing is asked.
  std::string why_not(const PlannedPack& pack) const;
  // Of a pack that goes on, and so comes before what is new: interrupted, or started here before
  // and to be tried again. Not of what failed.
  bool has_begun(const PlannedPack& pack) const;
  bool is_interrupted(std::size_t cell) const {
    return statuses_[cell].state == CellState::kInterrupted;
  }
  PlannedPack running_elsewhere() const;  // which count whole
  // Those first, in their order, where a budget lets nothing new start.
  std::vector<PlannedPack> in_turn(std::vector<PlannedPack> packs) const;

  void started(const PlannedPack& pack);
  // They are not under way here, and as `statuses`, of all cells, have them.
  void update(const PlannedPack& cells, const std::vector<CellStatus>& statuses);
  // Where a budget lets nothing new start: looks at cells that had not ended and are not under way
  // here, as others may have run them. `statuses` of all cells: of what has failed, here or
  // before, nothing goes on.
  void look_at_others(const std::vector<CellStatus>& statuses);

  // "flops 2.1e13 of 5e13, device_hours 0.2 of 3": of the whole sweep; "" without a budget.
  std::string text() const;

 private:
  struct Cost {
    double flops = 0, device_hours = 0, disk = 0;
    double process_hours = 0;  // of its process, by the clock
    int64_t runs_in_process = 1;
    double noted_hours = 0;    // of the device_hours those whose attempts noted their company
    double machine_hours = 0;  // that those took of the machine
  };
  struct Total {
    Cost cost;
    WallHours wall;
    void add(const Cost& cost, Stage stage);
  };
  bool starts_nothing_new() const;
  bool goes_on(std::size_t cell) const;
  Cost spent(std::size_t cell) const;  // so far
  Cost whole(std::size_t cell) const;  // by its end
  PlannedPack to_come() const;
  void look_again(std::size_t cell, const std::vector<CellStatus>& statuses);
  Total sum(const PlannedPack& also) const;  // of all, with these to their end
  Total at_most() const;  // of all to their end, and of trials that edges may still ask for
  std::string beyond(const Total& total) const;
  double price(const Total& total) const;

  const Plan& plan_;
  std::vector<CellStatus> statuses_;
  std::set<std::size_t> under_way_, started_here_;
};

}  // namespace scalelaw
