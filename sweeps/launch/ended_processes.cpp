#include "sweeps/launch/ended_processes.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "sweeps/launch/attempt_lines.h"
#include "sweeps/status/cell_limits.h"
#include "trainer/clock.h"
#include "trainer/disk_space.h"
#include "trainer/escaped.h"
#include "trainer/program_exit.h"
#include "trainer/run_record.h"

namespace scalelaw {

void EndedProcesses::take(const PackProcess& process, const ProcessEnd& end) {
  AttemptLeft left;
  left.end = end;
  left.reason = last_words(process, end);
  left.log = process.log;
  const bool others_had_some = is_of_another_process(left.reason);
  PlannedPack complete, elsewhere;
  for (const CellInProgress& each : process.cells) {
    const int64_t seen = cells_[each.cell].step;
    const CellStatus& now = cells_.look(each.cell);
    const bool is_elsewhere = now.state == CellState::kRunning;
    (ended(now.state) ? complete : is_elsewhere ? elsewhere : left.cells).push_back(each.cell);
    // Of a folder that others had, its lines may be theirs.
    if (!others_had_some) display_.ended(each, is_elsewhere ? seen : std::max(seen, now.step));
  }
  queue_.no_longer_failing(complete);
  queue_.no_longer_failing(elsewhere);
  display_.tell_complete(complete, others_had_some
                                       ? std::nullopt
                                       : std::optional(monotonic_seconds() - process.started_at));
  for (const std::size_t cell : elsewhere) display_.tell(elsewhere_text(plan_.cells[cell]));
  if (left.end == ProcessEnd{} && !left.cells.empty()) {
    left.end.exit_code = kExitOther;
    left.reason = "exit 0, but there is no run.json";
  }
  take_left(left, {.asked = process.asked_to_end,
                   .others_have_some = others_had_some || !elsewhere.empty(),
                   .is_smaller = left.cells.size() < process.cells.size(),
                   .interrupted = stop_.interrupted(),
                   .paused = !stop_.paused_because().empty()});
  // What has failed does not go on.
  for (const CellInProgress& each : process.cells) budget_.update({each.cell});
}

void EndedProcesses::take_left(AttemptLeft& left, AttemptEnd at) {
  if (judge_.found_no_room(left, at)) {
    left.end = {kExitInterrupted, 0};
    stop_.pause(left.reason);
    at.paused = true;
  }
  judge_.judge(left, at);
  if (left.cells.empty()) return;
  if (left.limits) note_limits(left);
  if (left.verdict == Verdict::kFailed) {
    for (const std::size_t cell : left.cells) cells_[cell].state = CellState::kFailed;
  }
  left.step = cells_[left.cells.front()].step;
  note_unfinished(left);
  display_.tell(left_text(plan_, left));
}

// Without the note the same would be tried again.
void EndedProcesses::note_limits(const AttemptLeft& left) {
  try {
    append_limits(folder_, plan_, left.cells, *left.limits);
  } catch (const DiskFull& error) {
    stop_.pause(error.what());
  } catch (const std::runtime_error& error) {
    queue_.stop(error.what());
  }
}

// The healthy runs go on without the notes.
void EndedProcesses::note_unfinished(const AttemptLeft& left) {
  try {
    append_unfinished(folder_, plan_, left);
  } catch (const std::runtime_error& error) {
    display_.line("warning: status will not show the next line's attempt: " +
                  escaped(error.what()));
  }
}

}  // namespace scalelaw
