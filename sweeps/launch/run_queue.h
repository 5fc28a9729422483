// Which pack is started next, and what an ended attempt means: retries, equal failures, packs to be
// halved, cells that another process runs. No processes and no files here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/device/packing.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/sweep_folder.h"

namespace scalelaw {

struct RunQueueOptions {
  int retries = 2;     // of a crash (exit 1 or a signal), a cell; >= 0. Of SIGKILL at most one.
  int stop_after = 5;  // runs that failed the same way, then nothing new starts; 0: never
};

enum class Verdict {
  kComplete,     // nothing of it is left (diverged runs are complete too)
  kInterrupted,  // exit 3: goes on with the next launch
  kRetry,        // crashed, and queued again as it was
  kRetryAlone,   // killed by SIGKILL, and queued for when nothing else runs
  kNarrowed,     // out of memory, and queued to be computed in smaller pieces
  kHalved,       // a pack refused (exit 2), crashed too often or out of memory, queued in halves
  kRepacked,     // has a checkpoint, and queued to go on without the rows of what has ended
  kFailed,       // the same of a single cell
  kLeft,         // a pack of which that is not known, and nothing may start any more
  kElsewhere,    // another process has, or had, one of its folders; what is left is queued
};

class RunQueue {
 public:
  // Packs in the order to start them in.
  RunQueue(const std::vector<PlannedPack>& order, const RunQueueOptions& options);

  // nullopt: nothing may start now, beside `running` others, or nothing is waiting. What SIGKILL
  // ended comes last and one at a time: whoever ran short of memory beside others may have enough
  // without them, and the same attempt under the same conditions would end the same way. It comes
  // before the others where one more such end would stop the starting.
  // `may_start`: whether one of those that wait may now; the others keep their places.
  using MayStart = std::function<bool(const PlannedPack&)>;
  std::optional<PlannedPack> next(
      std::size_t running, const MayStart& may_start = [](const PlannedPack&) { return true; });
  // `left`: cells of the attempt that are not complete now and that no other process has;
  // `others_have_some` where such a process is why some are missing, or completed them: what is
  // left is queued again, also after exit 3, unless the queue is stopped. `reason`: the log's last
  // line, without_own_names(). A single cell whose attempt failed counts among those that failed
  // the same way, once and whether it is retried or not, until no_longer_failing().
  Verdict ended(const PlannedPack& left, const ProcessEnd& end, const std::string& reason,
                bool others_have_some);
  // The same where memory did not suffice, which is never tried again unchanged: a pack is halved,
  // a run computed in smaller pieces where it `can_be_narrowed`.
  Verdict ran_out_of_memory(const PlannedPack& left, bool can_be_narrowed,
                            const std::string& reason);
  // The same of one that was asked to write a checkpoint, to go on with these rows alone.
  Verdict repacked(const PlannedPack& left);
  // They have completed, or are another process's, which counts them.
  void no_longer_failing(const PlannedPack& cells);
  void add(PlannedPack pack) { waiting_.push_back(std::move(pack)); }
  void remove(const PlannedPack& cells);  // from all that waits
  // What next() gave, or some of it, is not started yet: to its place, where nothing else was asked
  // of the queue meanwhile.
  void put_back(PlannedPack pack);

  void stop(const std::string& why);  // nothing new starts; the first reason is kept
  const std::string& stopped_because() const { return stopped_because_; }  // "": not stopped
  std::size_t waiting() const;                                             // cells
  // SIGKILL ended an attempt of it that was then repeated alone.
  bool was_repeated_alone(std::size_t cell) const { return repeated_alone_.contains(cell); }

 private:
  void note_failure(std::size_t cell, const std::string& how, const std::string& reason);
  void retry(const PlannedPack& pack);
  bool must_be_alone_now() const;  // some of what SIGKILL ended

  int count_crash(const PlannedPack& pack);     // that it has had, this one included
  bool may_ask_again(const PlannedPack& left);  // where another process is said to have some
  void halve(const PlannedPack& pack, std::deque<PlannedPack>& into);

  RunQueueOptions options_;
  std::deque<PlannedPack> waiting_;
  std::deque<PlannedPack> alone_;  // waiting until nothing runs
  bool last_was_alone_ = false;    // what next() gave last, and its place there
  std::ptrdiff_t place_of_last_ = 0;
  bool alone_first_ = false;  // until none of them is left or runs
  std::set<std::size_t> repeated_alone_;
  std::map<std::size_t, int> crashes_, asked_again_;
  std::map<std::string, std::set<std::size_t>> failing_;  // how, numbers and hashes as '#' -> cells
  std::string stopped_because_;
};

// `reason` with "RUN" for what names this cell alone: its folder, its content hash, whole or the
// first 12 digits that its files are named by.
std::string without_own_names(std::string reason, const PlannedCell& cell);

}  // namespace scalelaw
