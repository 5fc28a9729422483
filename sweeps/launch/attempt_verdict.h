// What the end of an attempt means for the cells that it left: how it ended, what it said last and
// what the launcher has asked of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "sweeps/device/packing.h"
#include "sweeps/launch/pack_processes.h"
#include "sweeps/launch/room.h"
#include "sweeps/launch/run_queue.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_limits.h"
#include "sweeps/status/sweep_folder.h"

namespace scalelaw {

// What is left of an attempt: its verdict, and why.
struct AttemptLeft {
  PlannedPack cells;  // neither ended nor another process's
  ProcessEnd end;
  std::string reason;  // its last words
  std::filesystem::path log;
  Verdict verdict = Verdict::kComplete;
  std::optional<CellLimits> limits;  // learned of its cells, to be noted whatever the verdict
  int64_t step = 0;                  // of the first cell's checkpoint
};

// How things stood when it ended.
struct AttemptEnd {
  EndAsked asked = EndAsked::kNo;  // to end, of itself alone
  bool others_have_some = false;   // another process has or had some of its cells
  bool is_smaller = false;         // some of its cells have ended, wherever
  bool interrupted = false;        // the launcher was asked to stop,
  bool paused = false;             // or stopped what runs for want of room
  bool is_to_stop() const { return interrupted || paused; }
};

class AttemptJudge {
 public:
  // All outlive it. `time_limit_seconds`: of an attempt.
  AttemptJudge(const Plan& plan, const Room& room, RunQueue& queue,
               std::optional<double> time_limit_seconds)
      : plan_(plan),
        folder_(sweep_folder(plan.options.runs, plan.name)),
        room_(room),
        queue_(queue),
        time_limit_seconds_(time_limit_seconds) {}

  // Whether it ended for want of room on the disk: then the sweep is to be paused.
  bool found_no_room(const AttemptLeft& left, const AttemptEnd& at) const;
  // Sets verdict, limits, and end and reason as they are to be told and noted; the queue has what
  // is to be tried again.
  void judge(AttemptLeft& left, const AttemptEnd& at);

 private:
  void tell_of_time(AttemptLeft& left) const;
  CellLimits learned_of_memory(const AttemptLeft& left) const;

  const Plan& plan_;
  SweepFolder folder_;
  const Room& room_;
  RunQueue& queue_;
  std::optional<double> time_limit_seconds_;
};

// The attempt of each cell left, for status. What ended a pack is a fault of one of its runs, which
// is noted of that one once it is alone. std::runtime_error.
void append_unfinished(const SweepFolder& folder, const Plan& plan, const AttemptLeft& left);

}  // namespace scalelaw
