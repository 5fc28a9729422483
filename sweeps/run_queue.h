// Which cell is started next, and what an ended attempt means: retries, equal failures, cells that
// another process runs. No processes and no files here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sweeps/plan.h"
#include "sweeps/sweep_folder.h"

namespace scalelaw {

struct RunQueueOptions {
  int retries = 2;     // of a crash (exit 1 or a signal), a cell; >= 0. Of SIGKILL at most one.
  int stop_after = 5;  // attempts failed the same way in a row, then nothing new starts; 0: never
};

enum class Verdict {
  kComplete,     // exit 0 (diverged runs too)
  kInterrupted,  // exit 3: goes on next time
  kRetry,        // crashed, and queued again
  kRetryAlone,   // killed by SIGKILL, and queued for when nothing else runs
  kFailed,       // refused (exit 2), crashed more often than retries allow, or nothing may start
  kElsewhere,    // another process has the folder
};

class RunQueue {
 public:
  // Cells in the order to start them in.
  RunQueue(const std::vector<std::size_t>& order, const RunQueueOptions& options);

  // nullopt: nothing may start now, beside `running` others, or nothing is waiting. Cells killed by
  // SIGKILL come last and one at a time: whoever ran short of memory beside others may have enough
  // without them, and the same attempt under the same conditions would end the same way.
  std::optional<std::size_t> next(std::size_t running);
  // Another process has the cell's folder: it is not waited for, but asked about once more.
  void set_elsewhere(std::size_t cell) { elsewhere_.push_back(cell); }
  // `reason`: the log's last line, without_own_names(). `held`: another process holds the folder
  // now. Every failed attempt counts among the equal ones, retried or not; a success starts anew.
  Verdict ended(std::size_t cell, const ProcessEnd& end, const std::string& reason, bool held);
  // The cells found elsewhere; they are forgotten here.
  std::vector<std::size_t> take_elsewhere();
  void add(std::size_t cell) { waiting_.push_back(cell); }

  void stop(const std::string& why);  // nothing new starts; the first reason is kept
  const std::string& stopped_because() const { return stopped_because_; }  // "": not stopped
  std::size_t waiting() const { return waiting_.size() + alone_.size(); }
  // SIGKILL ended an attempt of it that was then repeated alone.
  bool was_repeated_alone(std::size_t cell) const { return repeated_alone_.contains(cell); }

 private:
  void note_failure(const std::string& how, const std::string& reason);

  RunQueueOptions options_;
  std::deque<std::size_t> waiting_;
  std::deque<std::size_t> alone_;  // waiting until nothing runs
  std::set<std::size_t> repeated_alone_;
  std::vector<std::size_t> elsewhere_;
  std::map<std::size_t, int> crashes_;
  std::string last_failure_;  // numbers and hashes as '#'
  int equal_failures_ = 0;
  std::string stopped_because_;
};

// `reason` with "RUN" for what names this cell alone: its folder, its content hash, whole or the
// first 12 digits that its files are named by.
std::string without_own_names(std::string reason, const PlannedCell& cell);

// The order of `cells` (indices into the plan's): the cheapest rung of each arm first, where a
// wrong setting shows in minutes, then the longest first, so that no core is left waiting for one
// long run at the end. By FLOPs; by tokens where they are not known.
std::vector<std::size_t> start_order(const Plan& plan, std::vector<std::size_t> cells);

}  // namespace scalelaw
