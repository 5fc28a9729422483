// Runs what is missing of a sweep on this machine. May be stopped at any moment, by Ctrl-C or by a
// power cut, and started again; several launchers may work on one sweep.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "sweeps/launch/run_display.h"
#include "sweeps/launch/run_queue.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

struct RunSweepOptions {
  std::filesystem::path trainer;  // the program scalelaw-train
  RunQueueOptions queue;
  std::optional<double> time_limit_seconds;  // of an attempt; its run goes on in the next launch
  int64_t most_runs = 1000;     // to start; more are refused, for a grid is easily a slip
  bool is_later_stage = false;  // something was run already: want of room pauses it
};

struct RunSweepResult {
  std::map<CellState, int64_t> states;  // of all cells, at the end
  int64_t resumable = 0;                // interrupted cells
  bool interrupted = false;             // asked to stop
  std::string stopped_because;      // equal failures, a log that cannot be written; "": to the end
  std::string over_budget_because;  // what is left would cost more than the budget
  int64_t interrupted_over_budget = 0;   // of resumable, those that it does not reach to end
  bool budget_counts_elsewhere = false;  // runs that other launchers have in progress, whole
  std::string paused_because;            // the disk is full, or nearly; "": it was not
  bool is_unpredicted = false;  // of run_stages(): what held-out cells come to cannot be predicted
  // 0 all complete (diverged ones too), 3 some missing, interrupted, paused or running elsewhere
  // and the same command goes on, 1 some failed.
  int exit_code = 0;
};

// Writes RUNS/sweeps/NAME.json first, then starts the missing and interrupted cells, and failed
// ones anew. A disk that is full or nearly so pauses it: nothing new starts, what runs is asked for
// a checkpoint. Where cells wait for what other launchers are running it ends when those have
// ended. ConfigError when the store cannot be written or has no room for what runs at once
// (disk_needs.h), the trainer is not there or cannot use
// the GPUs (gpu_check.h), the name is another sweep's (plan.h), or more than most_runs are to
// start.
RunSweepResult run_sweep(const Plan& plan, const RunSweepOptions& options, RunDisplay& display);

}  // namespace scalelaw
