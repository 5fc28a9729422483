#include "sweeps/launch/run_sweep.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "sweeps/device/packing.h"
#include "sweeps/launch/attempt_lines.h"
#include "sweeps/launch/attempt_verdict.h"
#include "sweeps/launch/gpu_check.h"
#include "sweeps/launch/launch_display.h"
#include "sweeps/launch/launch_stop.h"
#include "sweeps/launch/other_launchers.h"
#include "sweeps/launch/pack_processes.h"
#include "sweeps/launch/repacking.h"
#include "sweeps/launch/room.h"
#include "sweeps/launch/sweep_cells.h"
#include "sweeps/plan/plan_diff.h"
#include "sweeps/plan/reports.h"
#include "sweeps/plan/spending.h"
#include "sweeps/status/cell_limits.h"
#include "sweeps/tuning/what_is_known.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/disk_space.h"
#include "trainer/escaped.h"
#include "trainer/run_record.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kSecondsBetweenLooks = 0.5;  // at the processes and the room that they have

double seconds_since(double start) {
  return monotonic_seconds() - start;
}

class SweepRun {
 public:
  SweepRun(const Plan& plan, const RunSweepOptions& options, RunDisplay& display)
      : plan_(plan),
        time_limit_seconds_(options.time_limit_seconds),
        most_runs_(options.most_runs),
        is_later_stage_(options.is_later_stage),
        folder_(sweep_folder(plan.options.runs, plan.name)),
        cells_(plan),
        packs_(spending_.in_turn(packs_to_run(plan, cells_.all()))),
        queue_(packs_, options.queue),
        judge_(plan, room_, queue_, options.time_limit_seconds),
        processes_(plan, options.trainer),
        display_(plan, cells_, processes_, display) {}

  RunSweepResult run() {
    prepare();
    display_.line(plan_.name + ": " + std::to_string(plan_.cells.size()) + " cells, " +
                  std::to_string(queue_.waiting()) + " to run" + waiting_text() +
                  (packs_.empty() ? "" : ": " + packs_text(packs_) + "; " + describe(workers_)));
    while (true) {
      others_.take_back(SweepCells::Ask::kNowAndThen);
      start_waiting();
      if (processes_.running() == 0 && !goes_on_elsewhere()) break;
      display_.show(stop_.interrupted());
      if (const std::string why = room_.why_pause(processes_.cells()); !why.empty())
        stop_.pause(why);
      if (!stop_.is_to_stop()) ask_to_end();
      PackProcesses::Event event = processes_.wait(kSecondsBetweenLooks);
      if (event.stop_signal != 0) stop_.take(event.stop_signal);
      if (event.ended) take_end(*event.ended, event.end);
    }
    return result();
  }

 private:
  void prepare() {
    const fs::path record = sweep_record_file(plan_.options.runs, plan_.name);
    refuse_name_of_another_sweep(plan_);
    check_number_of_runs(plan_, packs_, most_runs_);
    check_budget();
    const PlanDiff diff = diff_of(plan_);
    if (const std::string changed = diff_line(plan_, diff); !changed.empty()) {
      display_.line(changed);
    }
    check_room_now();
    try {
      folder_.prepare();
      write_sweep_record(record, record_of(plan_, diff.open));
      is_recorded_ = true;
    } catch (const DiskFull& error) {
      stop_.pause(error.what());
    }
  }

  void check_budget() {
    try {
      spending_.check_whole();
    } catch (const ConfigError& error) {
      if (!is_later_stage_) throw;
      over_budget_because_ = error.what();
      queue_.stop(over_budget_because_);
    }
  }

  void check_room_now() {
    try {
      for (const std::string& text : check_room(plan_, cells_.all())) {
        display_.line("warning: " + text);
      }
    } catch (const ConfigError& error) {
      if (!is_later_stage_) throw;
      stop_.pause(error.what());
    }
  }

  std::string waiting_text() const {
    const int64_t waiting = waiting_cells(plan_);
    return waiting == 0 ? "" : ", " + std::to_string(waiting) + " waiting for what these tell";
  }

  void start_waiting() {
    while (processes_.running() < workers_.processes()) {
      const std::optional<PlannedPack> next = queue_.next(processes_.running());
      if (!next) return;
      if (hold_back(*next)) return;
      const PlannedPack pack = cells_.not_taken(*next);
      for (const std::size_t cell : *next) {
        if (std::ranges::find(pack, cell) == pack.end()) queue_.no_longer_failing({cell});
      }
      if (pack.empty() || is_beyond_budget(pack)) continue;
      try {
        processes_.start(pack, cells_.all(), starts_nothing_new_ ? 0 : queue_.packs_beside());
        for (const std::size_t cell : pack) cells_[cell].state = CellState::kRunning;
        spending_.started(pack);
      } catch (const DiskFull& error) {
        stop_.pause(error.what());
      } catch (const std::runtime_error& error) {  // a disk, or fork: what runs goes on
        queue_.stop(error.what());
      }
    }
  }

  // What the budget does not reach is left aside, and with the first new pack all other new ones.
  bool is_beyond_budget(const PlannedPack& pack) {
    spending_.look_again(pack, cells_.all());  // others may have begun it
    const bool is_new = !spending_.has_begun(pack);
    if (is_new && starts_nothing_new_) return true;
    spending_.look_at_others(cells_.all());
    const std::string why = spending_.why_not(pack);
    if (why.empty()) return false;
    if (over_budget_because_.empty()) over_budget_because_ = why;
    if (is_new) starts_nothing_new_ = true;
    if (!is_new) begun_over_budget_ += std::ssize(pack);
    return true;
  }

  // Of what runs, those that have had their time and packs with rows that cost more than they are.
  void ask_to_end() {
    if (time_limit_seconds_) processes_.stop_overdue(*time_limit_seconds_);
    if (!queue_.stopped_because().empty()) return;  // nothing would be started again
    for (const PackToShrink& pack : repacking_.worth_it(processes_.all(), cells_.all())) {
      processes_.stop_to_repack(pack.process);
    }
  }

  // Whether the pack must wait until what runs has left more room.
  bool hold_back(const PlannedPack& next) {
    const bool is_first = processes_.running() == 0;
    std::string why = room_.why_no_disk(processes_.cells(), next);
    if (why.empty() && !is_first) why = room_.why_no_memory(next);
    if (why.empty()) return false;
    queue_.put_back(next);
    if (is_first) stop_.pause(why);
    if (!is_first && held_back_ != next) {
      display_.line("waiting until a run has ended: " + why);
      held_back_ = next;
    }
    return true;
  }

  void take_end(const PackProcess& process, const ProcessEnd& end) {
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
                                         : std::optional(seconds_since(process.started_at)));
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
    for (const CellInProgress& each : process.cells) spending_.left_off({each.cell}, cells_.all());
  }

  void take_left(AttemptLeft& left, AttemptEnd at) {
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
  void note_limits(const AttemptLeft& left) {
    try {
      append_limits(folder_, plan_, left.cells, *left.limits);
    } catch (const DiskFull& error) {
      stop_.pause(error.what());
    } catch (const std::runtime_error& error) {
      queue_.stop(error.what());
    }
  }

  // The healthy runs go on without the notes.
  void note_unfinished(const AttemptLeft& left) {
    try {
      append_unfinished(folder_, plan_, left);
    } catch (const std::runtime_error& error) {
      display_.line("warning: status will not show the next line's attempt: " +
                    escaped(error.what()));
    }
  }

  // Nothing runs here any more: whether something is to be waited for, or started now.
  bool goes_on_elsewhere() {
    if (others_.take_back(SweepCells::Ask::kAtOnce)) {
      start_waiting();
      return true;
    }
    return over_budget_because_.empty() ? others_.are_waited_for() : others_.leave_some();
  }

  RunSweepResult result() const {
    RunSweepResult result;
    result.states = count_states(cells_.at_the_end());
    result.resumable = result.states.at(CellState::kInterrupted);
    result.interrupted = stop_.interrupted();
    result.paused_because = stop_.paused_because();
    result.over_budget_because = over_budget_because_;
    result.begun_over_budget = begun_over_budget_;
    if (!stop_.is_to_stop() && queue_.stopped_because() != over_budget_because_) {
      result.stopped_because = queue_.stopped_because();
    }
    int64_t whole = 0;
    for (const auto& [state, count] : result.states) whole += ended(state) ? count : 0;
    const bool failed = result.states.at(CellState::kFailed) > 0 || !result.stopped_because.empty();
    if (failed && !stop_.is_to_stop()) {
      result.exit_code = kExitOther;
    } else if (whole < static_cast<int64_t>(plan_.cells.size()) || !is_recorded_) {
      result.exit_code = kExitInterrupted;
    }
    return result;
  }

  const Plan& plan_;
  const Workers& workers_ = plan_.options.workers;
  std::optional<double> time_limit_seconds_;
  int64_t most_runs_;
  bool is_later_stage_;
  SweepFolder folder_;
  SweepCells cells_;
  Spending spending_{plan_, cells_.all()};
  std::vector<PlannedPack> packs_;  // as they were to be at the beginning
  RunQueue queue_;
  Room room_{plan_};
  AttemptJudge judge_;
  PackProcesses processes_;
  Repacking repacking_{plan_};
  LaunchDisplay display_;
  LaunchStop stop_{queue_, processes_, display_};
  OtherLaunchers others_{plan_, cells_, queue_, display_};
  std::string over_budget_because_;
  bool is_recorded_ = false;         // the sweep's record says what is to be run
  bool starts_nothing_new_ = false;  // for the budget
  int64_t begun_over_budget_ = 0;
  PlannedPack held_back_;  // of which that was told
};

}  // namespace

RunSweepResult run_sweep(const Plan& plan, const RunSweepOptions& options, RunDisplay& display) {
  if (access(options.trainer.c_str(), X_OK) != 0) {
    throw ConfigError(options.trainer.string() +
                      ": no such program; build it, or name it with --trainer");
  }
  check_gpus(plan.options.workers, options.trainer);
  return SweepRun(plan, options, display).run();
}

}  // namespace scalelaw
