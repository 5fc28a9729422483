#include "sweeps/launch/attempt_verdict.h"

#include <cmath>
#include <csignal>
#include <utility>
#include <vector>

#include "sweeps/launch/pack_processes.h"
#include "sweeps/status/text_table.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/disk_space.h"

namespace scalelaw {
namespace {

constexpr ProcessEnd kSavedItself = {kExitInterrupted, 0};

// The same fault of two cells reads the same.
std::string without_own_names_of(const Plan& plan, const AttemptLeft& left) {
  std::string reason = left.reason;
  for (const std::size_t cell : left.cells) {
    reason = without_own_names(std::move(reason), plan.cells[cell]);
  }
  return reason;
}

std::size_t half_of(const AttemptLeft& left) {
  return (left.cells.size() + 1) / 2;
}

}  // namespace

// Its last words may have found no room either. One that failed otherwise may have quoted another
// disk, as /dev/shm, for which a pause would be for ever.
bool AttemptJudge::found_no_room(const AttemptLeft& left, const AttemptEnd& at) const {
  if (left.cells.empty() || left.end == ProcessEnd{} || at.is_to_stop()) return false;
  const bool unasked = left.end == kSavedItself;
  const bool tells = tells_of_full_disk(left.reason);
  if (unasked && tells) return true;
  return (unasked || tells) && !room_.why_no_disk({}, left.cells).empty();
}

void AttemptJudge::judge(AttemptLeft& left, const AttemptEnd& at) {
  const bool of_memory =
      left.end != kSavedItself && !left.cells.empty() && is_of_memory(left.reason);
  // Also where nothing is started any more: the next launch would try the same again.
  if (of_memory) left.limits = learned_of_memory(left);
  if (at.asked == EndAsked::kForTime && !left.cells.empty()) tell_of_time(left);
  // Killed by us, not by a fault of its own.
  const bool killed = at.interrupted && left.end.signal == SIGKILL;
  if (killed || (at.is_to_stop() && left.end.signal == SIGTERM)) {
    left.verdict = Verdict::kInterrupted;
    left.end = kSavedItself;
    left.reason = "killed on demand";
    return;
  }
  const std::string reason = without_own_names_of(plan_, left);
  if (of_memory && left.end != kSavedItself) {
    left.verdict = queue_.ran_out_of_memory(left.cells, !left.limits->too_large, reason);
  } else if (at.asked == EndAsked::kToRepack && left.end == kSavedItself && !at.others_have_some) {
    left.verdict = queue_.repacked(left.cells);
  } else {
    // Of an attempt that was to end, or that was told to, nothing is started again.
    const bool some_elsewhere = left.end == kSavedItself
                                    ? at.others_have_some && at.asked != EndAsked::kForTime
                                    : at.others_have_some || at.is_smaller;
    left.verdict = queue_.ended(left.cells, left.end, reason, some_elsewhere);
    if (left.verdict == Verdict::kHalved) left.limits = CellLimits{half_of(left)};
  }
  if (left.verdict == Verdict::kFailed && left.end.signal == SIGKILL) {
    left.reason += queue_.was_repeated_alone(left.cells.front())
                       ? "; killed with no other run beside it too, so it was not tried again"
                       : "; not tried again";
  }
}

CellLimits AttemptJudge::learned_of_memory(const AttemptLeft& left) const {
  if (left.cells.size() > 1) return {half_of(left)};
  const PlannedCell& cell = plan_.cells[left.cells.front()];
  CellLimits learned{1, fewer_tokens_at_once(plan_, cell, limits_of(read_limits(folder_), cell))};
  if (learned.most_tokens_at_once > 0) return learned;
  learned.too_large = true;
  const double memory = memory_a_run(plan_.options);
  if (std::isfinite(memory)) learned.memory_bytes = memory;
  return learned;
}

// Its run goes on in the next launch, as the user asked for, and has not failed.
void AttemptJudge::tell_of_time(AttemptLeft& left) const {
  const bool was_killed = left.end.signal == SIGKILL;
  // Asked before it listened: while it read its data, or waited for its folder.
  const bool had_not_begun = left.end.signal == SIGTERM;
  if (!was_killed && !had_not_begun && left.end != kSavedItself) return;
  left.end = kSavedItself;
  left.reason = kTimeLimit + duration_text(*time_limit_seconds_) + " (--time-limit)" +
                (was_killed      ? "; killed, since it wrote no checkpoint"
                 : had_not_begun ? "; it had not begun to train"
                                 : "");
}

void append_unfinished(const SweepFolder& folder, const Plan& plan, const AttemptLeft& left) {
  switch (left.verdict) {
    case Verdict::kElsewhere:
    case Verdict::kHalved:
    case Verdict::kLeft:
    case Verdict::kNarrowed:
    case Verdict::kRepacked:
      return;
    default:
      std::vector<UnfinishedAttempt> attempts;
      for (const std::size_t cell : left.cells) {
        attempts.push_back({plan.cells[cell].content_hash, left.end, left.reason, utc_now(),
                            left.log.filename().string()});
      }
      append_unfinished(folder, attempts);
  }
}

}  // namespace scalelaw
