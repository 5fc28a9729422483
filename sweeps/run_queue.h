// Which cell is started next, and what an ended attempt means: retries, equal failures, cells that
// another process runs. No processes and no files here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan.h"
#include "sweeps/sweep_folder.h"

namespace scalelaw {

struct RunQueueOptions {
  int retries = 2;     // of a crash (exit 1 or a signal), a cell; >= 0
  int stop_after = 5;  // cells failed the same way in a row, then nothing new starts; 0: never
};

enum class Verdict {
  kComplete,     // exit 0 (diverged runs too)
  kInterrupted,  // exit 3: goes on next time
  kRetry,        // crashed, and queued again
  kFailed,       // refused (exit 2), or crashed more often than retries allow
  kElsewhere,    // another process has the folder
};

class RunQueue {
 public:
  // Cells in the order to start them in.
  RunQueue(const std::vector<std::size_t>& order, const RunQueueOptions& options);

  // nullopt: nothing is waiting, or nothing may start any more.
  std::optional<std::size_t> next();
  // Another process has the cell's folder: it is not waited for, but asked about once more.
  void set_elsewhere(std::size_t cell) { elsewhere_.push_back(cell); }
  // `reason`: the log's last line. `held`: another process holds the folder now.
  Verdict ended(std::size_t cell, const ProcessEnd& end, const std::string& reason, bool held);
  // The cells found elsewhere; they are forgotten here.
  std::vector<std::size_t> take_elsewhere();
  void add(std::size_t cell) { waiting_.push_back(cell); }

  void stop(const std::string& why);  // nothing new starts; the first reason is kept
  const std::string& stopped_because() const { return stopped_because_; }  // "": not stopped
  std::size_t waiting() const { return waiting_.size(); }

 private:
  void note_failure(const std::string& how, const std::string& reason);

  RunQueueOptions options_;
  std::deque<std::size_t> waiting_;
  std::vector<std::size_t> elsewhere_;
  std::map<std::size_t, int> crashes_;
  std::string last_failure_;  // numbers as '#'
  int equal_failures_ = 0;
  std::string stopped_because_;
};

// The order of `cells` (indices into the plan's): the cheapest rung of each arm first, where a
// wrong setting shows in minutes, then the longest first, so that no core is left waiting for one
// long run at the end. By FLOPs; by tokens where they are not known.
std::vector<std::size_t> start_order(const Plan& plan, std::vector<std::size_t> cells);

}  // namespace scalelaw
