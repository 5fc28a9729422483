// Where each run of a sweep stands, from its folder and the sweep's own notes alone. Takes no lease
// and writes nothing but the store's index (run_index.h); a few small reads a cell.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_limits.h"
#include "sweeps/status/sweep_folder.h"
#include "trainer/attempt_cost.h"

namespace scalelaw {

class RunIndex;

enum class CellState {
  kMissing,      // nothing to go on from
  kRunning,      // a process holds its folder, or may for all that is known at once
  kInterrupted,  // not running; the next run goes on from its checkpoint
  kComplete,
  kDiverged,  // complete, with a loss or gradient that was not finite
  kFailed,    // the last attempt crashed or was refused, or the folder is damaged
  kWaiting,   // for what other cells will tell (PlannedCell::waits_for)
  kExcluded,  // left out by name, whatever its folder holds (trainer/cell_exclusion.h)
};
inline constexpr CellState kCellStates[] = {
    CellState::kMissing,  CellState::kRunning, CellState::kInterrupted, CellState::kComplete,
    CellState::kDiverged, CellState::kFailed,  CellState::kWaiting,     CellState::kExcluded};
std::string_view name(CellState state);  // "missing" ...
// Of such a name; ConfigError names `option`, which gave it, and the nearest.
CellState cell_state_from(std::string_view option, const std::string& name);

// Nothing is left to be run.
inline bool ended(CellState state) {
  return state == CellState::kComplete || state == CellState::kDiverged ||
         state == CellState::kExcluded;
}

struct CellStatus {
  CellState state = CellState::kMissing;
  int64_t step = 0;                 // updates done, as far as the folder says
  std::optional<double> loss_nats;  // complete: the final loss on `test_set`; running: of training,
                                    // at the last line
  std::string test_set;             // the training set's own test split where the run read it
  std::optional<double> tokens_per_second;  // running: at the last line
  double wall_seconds = 0;                  // of all attempts
  RunLedger ledger;                         // what all its attempts have cost
  std::string why;  // failed, diverged, running, excluded, stopped at a time limit: in words
  std::string log;  // failed: in the sweep's logs/, the output of the attempt
  bool needs_hand = false;  // failed, and will again until what `why` says is mended
  bool is_held = false;     // failed, and is not started until then (CellLimits::too_large)
};

inline bool may_start(const CellStatus& status) {
  return !ended(status.state) && !status.is_held && status.state != CellState::kWaiting;
}
// Now or later.
inline bool is_to_come(const CellStatus& status) {
  return may_start(status) || status.state == CellState::kWaiting;
}

using UnfinishedAttempts = std::map<std::string, UnfinishedAttempt>;  // content hash -> the last

// What launchers have noted of runs.
struct LaunchNotes {
  UnfinishedAttempts unfinished;
  SweepLimits limits;
};
LaunchNotes read_launch_notes(const SweepFolder& folder);

// Through the index where one is given; without the ledger.
CellStatus look_at(const Plan& plan, const PlannedCell& cell, const LaunchNotes& notes,
                   RunIndex* index = nullptr);
// Whether its run.json is there, whatever it says.
bool has_record(const Plan& plan, const PlannedCell& cell);
// One for each of the plan's cells, in their order.
std::vector<CellStatus> look_at_all(const Plan& plan);
// Reads what each cell's attempts have cost: one small file an attempt.
void read_ledgers(const Plan& plan, std::vector<CellStatus>& statuses);
void read_ledger(const Plan& plan, const PlannedCell& cell, CellStatus& status);  // of one

// A running cell's newest line of metrics: reads the end of one file.
CellStatus progress_of(const std::filesystem::path& run_folder);

// Cells in each state, in kCellStates' order, zero included.
std::map<CellState, int64_t> count_states(const std::vector<CellStatus>& statuses);

}  // namespace scalelaw
