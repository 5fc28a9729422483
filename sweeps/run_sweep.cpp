#include "sweeps/run_sweep.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "sweeps/attempt_lines.h"
#include "sweeps/cell_limits.h"
#include "sweeps/elsewhere.h"
#include "sweeps/gpu_check.h"
#include "sweeps/pack_processes.h"
#include "sweeps/packing.h"
#include "sweeps/reports.h"
#include "sweeps/room.h"
#include "sweeps/work_left.h"
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

constexpr double kSecondsBetweenLooks = 0.5;  // at the running cells' metrics

double seconds_since(double start) {
  return monotonic_seconds() - start;
}

class SweepRun {
 public:
  SweepRun(const Plan& plan, const RunSweepOptions& options, RunDisplay& display)
      : plan_(plan),
        display_(display),
        time_limit_seconds_(options.time_limit_seconds),
        folder_(sweep_folder(plan.options.runs, plan.name)),
        statuses_(look_at_all(plan)),
        packs_(packs_to_run(plan, statuses_)),
        queue_(packs_, options.queue),
        processes_(plan, options.trainer) {}

  RunSweepResult run() {
    prepare();
    display_.line(plan_.name + ": " + std::to_string(plan_.cells.size()) + " cells, " +
                  std::to_string(queue_.waiting()) + " to run" +
                  (packs_.empty() ? "" : ": " + packs_text(packs_) + "; " + describe(workers_)));
    while (true) {
      elsewhere_.look_now_and_then();
      take_back_elsewhere();
      start_waiting();
      if (processes_.running() == 0 && !goes_on_elsewhere()) break;
      show();
      if (const std::string why = room_.why_pause(processes_.cells()); !why.empty()) pause(why);
      if (time_limit_seconds_ && !is_to_stop()) processes_.stop_overdue(*time_limit_seconds_);
      PackProcesses::Event event = processes_.wait(kSecondsBetweenLooks);
      if (event.stop_signal != 0) stop(event.stop_signal);
      if (event.ended) take_end(*event.ended, event.end);
    }
    return result();
  }

 private:
  void prepare() {
    const fs::path record = sweep_record_file(plan_.options.runs, plan_.name);
    refuse_name_of_another_sweep(record, plan_);
    for (const std::string& text : check_room(plan_, statuses_)) display_.line("warning: " + text);
    folder_.prepare();
    write_sweep_record(record, record_of(plan_));
  }

  void start_waiting() {
    while (processes_.running() < workers_.processes()) {
      const std::optional<PlannedPack> next = queue_.next(processes_.running());
      if (!next) return;
      if (hold_back(*next)) return;
      const PlannedPack pack = not_taken(*next);
      if (pack.empty()) continue;
      try {
        processes_.start(pack, statuses_);
        for (const std::size_t index : pack) statuses_[index].state = CellState::kRunning;
      } catch (const DiskFull& error) {
        pause(error.what());
      } catch (const std::runtime_error& error) {  // a disk, or fork: what runs goes on
        queue_.stop(error.what());
      }
    }
  }

  // Whether the pack must wait until what runs has left more room.
  bool hold_back(const PlannedPack& next) {
    const bool is_first = processes_.running() == 0;
    std::string why = room_.why_no_disk(processes_.cells(), next);
    if (why.empty() && !is_first) why = room_.why_no_memory(next);
    if (why.empty()) return false;
    queue_.put_back(next);
    if (is_first) pause(why);
    if (!is_first && held_back_ != next) {
      display_.line("waiting until a run has ended: " + why);
      held_back_ = next;
    }
    return true;
  }

  // Everything goes on with the next launch.
  void pause(const std::string& why) {
    if (is_to_stop()) return;
    paused_because_ = why;
    queue_.stop(why);
    processes_.signal_all(SIGTERM);
    display_.line("pausing: " + escaped(why) +
                  (processes_.running() == 0 ? "" : "; stopping " + runs_in_progress()));
  }

  // Another launcher may have been here since the sweep was looked at.
  PlannedPack not_taken(const PlannedPack& pack) {
    PlannedPack left;
    for (const std::size_t index : pack) {
      statuses_[index] = look_at(plan_, plan_.cells[index], {});
      const CellState state = statuses_[index].state;
      if (state == CellState::kRunning) elsewhere_.add(index);
      if (state != CellState::kRunning && !ended(state)) left.push_back(index);
    }
    return left;
  }

  std::string runs_in_progress() const {
    return counted(static_cast<int64_t>(processes_.cells().size()), "run");
  }

  void stop(int signal) {
    if (interrupted_) {
      if (!insists(signal) || seconds_since(stop_asked_) <= kSecondsOfOneWish) return;
      processes_.signal_all(SIGKILL);
      display_.line("killing " + runs_in_progress());
      return;
    }
    interrupted_ = true;
    stop_asked_ = monotonic_seconds();
    queue_.stop("interrupted");
    if (paused_because_.empty()) processes_.signal_all(SIGTERM);  // twice would kill them
    display_.line("stopping: " + runs_in_progress() +
                  " to write a checkpoint; once more kills them");
  }

  void take_end(const PackProcess& process, const ProcessEnd& end) {
    AttemptLeft left{{}, Verdict::kComplete, end, last_words(process), process.log};
    PlannedPack complete, elsewhere;
    for (const CellInProgress& each : process.cells) {
      CellStatus& status = statuses_[each.cell];
      status = look_at(plan_, plan_.cells[each.cell], {});
      const bool is_elsewhere = status.state == CellState::kRunning;
      (ended(status.state) ? complete : is_elsewhere ? elsewhere : left.cells).push_back(each.cell);
      if (ended(status.state)) work_left_.completed(each);
      if (is_elsewhere) elsewhere_.add(each.cell);
    }
    const bool others_had_some = is_of_another_process(left.reason);
    tell_complete(complete, others_had_some ? std::nullopt
                                            : std::optional(seconds_since(process.started_at)));
    for (const std::size_t index : elsewhere)
      tell(elsewhere_text(plan_.cells[index]), ended_cells());
    if (left.end == ProcessEnd{} && !left.cells.empty()) {
      left.end.exit_code = kExitOther;
      left.reason = "exit 0, but there is no run.json";
    }
    if (found_no_room(left)) {
      left.end = {kExitInterrupted, 0};
      pause(left.reason);
    }
    if (process.overdue && !left.cells.empty()) tell_of_time(left);
    // Of an attempt that was to end, or that was told to, nothing is started again.
    const bool was_stopped = left.end == ProcessEnd{kExitInterrupted, 0};
    judge(left, was_stopped ? !process.overdue && (others_had_some || !elsewhere.empty())
                            : others_had_some || left.cells.size() < process.cells.size());
    if (left.cells.empty()) return;
    left.step = statuses_[left.cells.front()].step;
    note_unfinished(left);
    tell(left_text(plan_, left), ended_cells());
  }

  // Its last words may have found no room either. One that failed otherwise may have quoted another
  // disk, as /dev/shm, for which a pause would be for ever.
  bool found_no_room(const AttemptLeft& left) const {
    if (left.cells.empty() || left.end == ProcessEnd{} || is_to_stop()) return false;
    const bool unasked = left.end == ProcessEnd{kExitInterrupted, 0};
    const bool tells = tells_of_full_disk(left.reason);
    if (unasked && tells) return true;
    return (unasked || tells) && !room_.why_no_disk({}, left.cells).empty();
  }

  bool is_to_stop() const { return interrupted_ || !paused_because_.empty(); }

  // Its run goes on in the next launch, as the user asked for, and has not failed.
  void tell_of_time(AttemptLeft& left) const {
    const bool was_killed = left.end.signal == SIGKILL;
    if (!was_killed && left.end != ProcessEnd{kExitInterrupted, 0}) return;
    left.end = {kExitInterrupted, 0};
    left.reason = kTimeLimit + duration_text(*time_limit_seconds_) + " (--time-limit)" +
                  (was_killed ? "; killed, since it wrote no checkpoint" : "");
  }

  // The time that is left stands behind the last of them. No `seconds`: of another process.
  void tell_complete(const PlannedPack& cells, std::optional<double> seconds) {
    int64_t nth = ended_cells() - static_cast<int64_t>(cells.size());
    for (const std::size_t index : cells) {
      const bool is_last = index == cells.back();
      tell(complete_text(plan_.cells[index], statuses_[index], seconds,
                         is_last ? seconds_left() : std::nullopt),
           ++nth);
    }
  }

  void judge(AttemptLeft& left, bool others_have_some) {
    // Killed by us, not by a fault of its own.
    const bool killed = interrupted_ && left.end.signal == SIGKILL;
    if (killed || (is_to_stop() && left.end.signal == SIGTERM)) {
      left.verdict = Verdict::kInterrupted;
      left.end = {kExitInterrupted, 0};
      left.reason = "killed on demand";
      return;
    }
    std::string reason = left.reason;
    for (const std::size_t index : left.cells) {
      reason = without_own_names(std::move(reason), plan_.cells[index]);
    }
    const bool failed = left.end != ProcessEnd{kExitInterrupted, 0} && !left.cells.empty();
    if (failed && is_of_memory(left.reason)) {
      const int64_t narrower = left.cells.size() > 1 ? 0 : narrower_pieces(left.cells.front());
      left.verdict = queue_.ran_out_of_memory(left.cells, narrower > 0, reason);
      if (left.verdict == Verdict::kNarrowed) note_limits(left.cells, {1, narrower});
    } else {
      left.verdict = queue_.ended(left.cells, left.end, reason, others_have_some);
    }
    if (left.verdict == Verdict::kHalved) note_limits(left.cells, {(left.cells.size() + 1) / 2});
    if (left.verdict != Verdict::kFailed) return;
    for (const std::size_t index : left.cells) statuses_[index].state = CellState::kFailed;
    if (left.end.signal == SIGKILL) {
      left.reason += queue_.was_repeated_alone(left.cells.front())
                         ? "; killed with no other run beside it too, so it was not tried again"
                         : "; not tried again";
    }
  }

  int64_t narrower_pieces(std::size_t index) const {
    const PlannedCell& cell = plan_.cells[index];
    return narrower_micro_batch(plan_, cell, limits_of(read_limits(folder_), cell));
  }

  // Without the note the same would be tried again.
  void note_limits(const PlannedPack& cells, const CellLimits& limits) {
    try {
      append_limits(folder_, plan_, cells, limits);
    } catch (const DiskFull& error) {
      pause(error.what());
    } catch (const std::runtime_error& error) {
      queue_.stop(error.what());
    }
  }

  // The healthy runs go on without the notes. What ended a pack is a fault of one of its runs,
  // which is noted of that one once it is alone.
  void note_unfinished(const AttemptLeft& left) {
    const bool of_one = left.verdict != Verdict::kHalved && left.verdict != Verdict::kLeft &&
                        left.verdict != Verdict::kNarrowed;
    if (left.verdict == Verdict::kElsewhere || !of_one) return;
    try {
      for (const std::size_t index : left.cells) {
        append_unfinished(folder_, {plan_.cells[index].content_hash, left.end, left.reason,
                                    utc_now(), left.log.filename().string()});
      }
    } catch (const std::runtime_error& error) {
      display_.line("warning: status will not show the next line's attempt: " +
                    escaped(error.what()));
    }
  }

  int64_t ended_cells() const {
    return std::count_if(statuses_.begin(), statuses_.end(),
                         [](const CellStatus& each) { return ended(each.state); });
  }

  void tell(const std::string& text, int64_t nth) {
    display_.line("[" + std::to_string(nth) + " of " + std::to_string(plan_.cells.size()) + "] " +
                  text);
  }

  // Nothing runs here any more: whether something is to be waited for, or started now.
  bool goes_on_elsewhere() {
    elsewhere_.look();
    if (take_back_elsewhere()) {
      start_waiting();
      return true;
    }
    const std::string holder = elsewhere_.in_doubt();
    if (holder.empty() || !queue_.stopped_because().empty()) return false;
    if (holder != doubted_) {
      display_.line("waiting for a sign of life from " + escaped(holder) +
                    ", whose runs start here without");
    }
    doubted_ = holder;
    return true;
  }

  // Cells that another process had, and has no more without having completed them.
  bool take_back_elsewhere() {
    std::vector<std::size_t> free;
    for (const std::size_t index : elsewhere_.take_free()) {
      statuses_[index] = look_at(plan_, plan_.cells[index], {});
      const CellState state = statuses_[index].state;
      if (state == CellState::kRunning) elsewhere_.add(index);  // by a third one
      if (state != CellState::kRunning && !ended(state)) free.push_back(index);
    }
    if (free.empty()) return false;
    for (PlannedPack& pack : pack_cells(plan_, free)) queue_.add(std::move(pack));
    return queue_.stopped_because().empty();
  }

  // nullopt where nothing is left, too.
  std::optional<double> seconds_left() const {
    if (ended_cells() == static_cast<int64_t>(plan_.cells.size())) return std::nullopt;
    return work_left_.seconds(statuses_, processes_.cells(), seconds_since(start_));
  }

  void show() {
    if (!display_.is_terminal() && seconds_since(looked_) < kSecondsBetweenLooks) return;
    looked_ = monotonic_seconds();
    SweepView view;
    view.plan = &plan_;
    for (const auto& [pid, process] : processes_.all()) {
      view.running.push_back(look_at_progress(plan_, process, statuses_));
    }
    view.states = count_states(statuses_);
    view.elapsed_seconds = seconds_since(start_);
    view.seconds_left = seconds_left();
    view.stopping = interrupted_;
    display_.show(view);
  }

  RunSweepResult result() const {
    RunSweepResult result;
    std::vector<CellStatus> now = look_at_all(plan_);
    for (std::size_t i = 0; i < now.size(); ++i) {
      // Where the note of a failure could not be written.
      const bool unended = !ended(now[i].state) && now[i].state != CellState::kRunning;
      if (unended && statuses_[i].state == CellState::kFailed) now[i] = statuses_[i];
    }
    result.states = count_states(now);
    result.resumable = result.states.at(CellState::kInterrupted);
    result.interrupted = interrupted_;
    result.paused_because = paused_because_;
    if (!is_to_stop()) result.stopped_because = queue_.stopped_because();
    const int64_t whole = std::count_if(now.begin(), now.end(),
                                        [](const CellStatus& each) { return ended(each.state); });
    const bool failed = result.states.at(CellState::kFailed) > 0 || !result.stopped_because.empty();
    if (failed && !is_to_stop()) {
      result.exit_code = kExitOther;
    } else if (whole < static_cast<int64_t>(plan_.cells.size())) {
      result.exit_code = kExitInterrupted;
    }
    return result;
  }

  const Plan& plan_;
  const Workers& workers_ = plan_.options.workers;
  RunDisplay& display_;
  std::optional<double> time_limit_seconds_;
  SweepFolder folder_;
  std::vector<CellStatus> statuses_;  // as last seen, of each cell
  std::vector<PlannedPack> packs_;    // as they were to be at the beginning
  RunQueue queue_;
  CellsElsewhere elsewhere_{plan_};
  PackProcesses processes_;
  double start_ = monotonic_seconds(), looked_ = 0, stop_asked_ = 0;
  WorkLeft work_left_{plan_};
  bool interrupted_ = false;
  Room room_{plan_};
  std::string paused_because_;
  PlannedPack held_back_;  // of which that was told
  std::string doubted_;    // the process that was last waited for
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
