#include "sweeps/launch/attempt_lines.h"

#include "sweeps/status/text_table.h"
#include "trainer/escaped.h"

namespace scalelaw {

std::string complete_text(const PlannedCell& cell, const CellStatus& status,
                          std::optional<double> seconds, std::optional<double> seconds_left) {
  std::string text = cell.folder + ": ";
  if (status.state == CellState::kExcluded) return text + "excluded: " + escaped(status.why);
  text += status.state == CellState::kDiverged
              ? escaped(status.why)
              : "loss " + loss_text(status.loss_nats) + " on " + status.test_set;
  text += seconds ? ", " + duration_text(*seconds) : ", completed by another process";
  if (seconds_left) text += "; about " + duration_text(*seconds_left) + " left";
  return text;
}

std::string elsewhere_text(const PlannedCell& cell) {
  return cell.folder + ": another process has it";
}

std::string left_text(const Plan& plan, const AttemptLeft& left) {
  std::string text = plan.cells[left.cells.front()].folder;
  if (left.cells.size() > 1) text += " and " + std::to_string(left.cells.size() - 1) + " more";
  text += ": ";
  const std::string how = describe(left.end), reason = escaped(left.reason);
  const std::string output = "\n  its output: " + escaped(left.log.string());
  switch (left.verdict) {
    case Verdict::kComplete:
      return text + "complete";
    case Verdict::kInterrupted:
      text += "interrupted at step " + std::to_string(left.step);
      return left.reason.starts_with(kTimeLimit) ? text + ": " + reason : text;
    case Verdict::kRepacked:
      return text + "to go on from step " + std::to_string(left.step) +
             " without the rows of what has ended";
    case Verdict::kElsewhere:
      return text + "to be started without what another process has";
    case Verdict::kRetry:
      return text + how + ", will be tried again: " + reason;
    case Verdict::kRetryAlone:
      return text + how + ", will be tried once more when no other run is in progress: " + reason;
    case Verdict::kNarrowed:
      return text + how + ", will be tried in smaller pieces: " + reason;
    case Verdict::kHalved:
      return text + how + ", will be tried in two halves: " + reason;
    case Verdict::kLeft:
      return text + how + ", and nothing new is started: " + reason + output;
    case Verdict::kFailed:
      return text + "failed, " + how + ": " + reason + output;
  }
  return text;
}

}  // namespace scalelaw
