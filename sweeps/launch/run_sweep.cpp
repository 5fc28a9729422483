#include "sweeps/launch/run_sweep.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "sweeps/device/packing.h"
#include "sweeps/launch/attempt_verdict.h"
#include "sweeps/launch/ended_processes.h"
#include "sweeps/launch/gpu_check.h"
#include "sweeps/launch/launch_budget.h"
#include "sweeps/launch/launch_display.h"
#include "sweeps/launch/launch_stop.h"
#include "sweeps/launch/other_launchers.h"
#include "sweeps/launch/pack_processes.h"
#include "sweeps/launch/repacking.h"
#include "sweeps/launch/room.h"
#include "sweeps/launch/sweep_cells.h"
#include "sweeps/plan/plan_diff.h"
#include "sweeps/plan/reports.h"
#include "sweeps/tuning/what_is_known.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/disk_space.h"
#include "trainer/escaped.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kSecondsBetweenLooks = 0.5;  // at the processes and the room that they have
// Until what was held back is asked for again though no run has ended: processes that were started
// have grown by then.
constexpr double kSecondsHeldBack = 30;

PlannedPack together(const std::vector<PlannedPack>& packs, PlannedPack cells) {
  for (const PlannedPack& pack : packs) cells.insert(cells.end(), pack.begin(), pack.end());
  return cells;
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
        packs_(budget_.in_turn(packs_to_run(plan, cells_.all()))),
        queue_(packs_, options.queue),
        processes_(plan, options.trainer),
        display_(plan, cells_, processes_, display),
        judge_(plan, room_, queue_, options.time_limit_seconds) {}

  RunSweepResult run() {
    prepare();
    ask_again();  // of large stores that took seconds, in which others may have started
    display_.line(plan_.name + ": " + std::to_string(plan_.cells.size()) + " cells, " +
                  std::to_string(queue_.waiting()) + " to run" + waiting_text() +
                  (packs_.empty() ? "" : ": " + packs_text(packs_) + "; " + describe(workers_)));
    while (true) {
      if (others_.take_back(SweepCells::Ask::kNowAndThen)) ask_again();
      start_waiting();
      if (processes_.running() == 0 && !goes_on_elsewhere()) break;
      display_.show(stop_.interrupted());
      if (const std::string why = room_.why_pause(processes_.cells()); !why.empty())
        stop_.pause(why);
      if (!stop_.is_to_stop()) ask_to_end();
      PackProcesses::Event event = processes_.wait(kSecondsBetweenLooks);
      if (event.stop_signal != 0) stop_.take(event.stop_signal);
      if (event.ended) {
        ended_.take(*event.ended, event.end);
        ask_again();
      }
    }
    return result();
  }

 private:
  void prepare() {
    const fs::path record = sweep_record_file(plan_.options.runs, plan_.name);
    refuse_name_of_another_sweep(plan_);
    check_number_of_runs(plan_, packs_, most_runs_);
    if (const std::string& why = budget_.check_whole(is_later_stage_); !why.empty()) {
      queue_.stop(why);
    }
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

  // All for which there are places are chosen before the first is started, since each notes with
  // how many it shares the machine.
  void start_waiting() {
    const std::vector<PlannedPack> round = next_round();
    std::size_t to_come = round.size();
    for (const PlannedPack& pack : round) {
      try {
        processes_.start(pack, cells_.all(), --to_come);
        for (const std::size_t cell : pack) cells_[cell].state = CellState::kRunning;
      } catch (const DiskFull& error) {
        return stop_.pause(error.what());
      } catch (const std::runtime_error& error) {  // a disk, or fork: what runs goes on
        return queue_.stop(error.what());
      }
    }
  }

  std::vector<PlannedPack> next_round() {
    std::vector<PlannedPack> round;
    if (monotonic_seconds() < asks_again_at_) return round;
    if (asks_again_at_ > 0) ask_again();
    do {
      add_to(round);
    } while (learns_what_runs_beside());
    const bool something_runs = processes_.running() + round.size() > 0;
    if (something_runs && !budget_.reached_because().empty()) tell_of_budget();
    return round;
  }

  void add_to(std::vector<PlannedPack>& round) {
    const auto places_taken = [&] { return processes_.running() + round.size(); };
    const auto may_start = [&](const PlannedPack& pack) { return budget_.has_room_for(pack); };
    while (places_taken() < workers_.processes()) {
      const std::optional<PlannedPack> next = queue_.next(places_taken(), may_start);
      if (!next) return;
      PlannedPack pack = cells_.not_taken(*next);
      if (pack.size() < next->size()) {  // the rest is asked for anew, beside what has them
        note_taken(*next, pack);
        if (!pack.empty()) queue_.put_back(std::move(pack));
        continue;
      }
      if (hold_back(pack, round)) return;
      budget_.started(pack);
      round.push_back(std::move(pack));
    }
  }

  void note_taken(const PlannedPack& pack, const PlannedPack& left) {
    for (const std::size_t cell : pack) {
      if (std::ranges::find(left, cell) != left.end()) continue;
      queue_.no_longer_failing({cell});
      budget_.update({cell});
    }
  }

  // What counts beside what is held is watched from now on, since its launcher may be dead, and
  // waits here no more: it comes back by its lease. Whether some of it was not known yet, or has
  // ended, and what is held is to be asked for again.
  bool learns_what_runs_beside() {
    bool has_learnt = false;
    for (const std::size_t cell : budget_.held_beside()) {
      if (cells_.watches(cell)) continue;
      cells_.look(cell);
      if (cells_.watches(cell)) queue_.remove({cell});
      has_learnt = true;
    }
    if (has_learnt) budget_.ask_again();
    return has_learnt;
  }

  // A run has ended, or another launcher has left one: what was held back may start.
  void ask_again() {
    asks_again_at_ = 0;
    budget_.ask_again();
  }

  // Of what runs, those that have had their time and packs with rows that cost more than they are.
  void ask_to_end() {
    if (time_limit_seconds_) processes_.stop_overdue(*time_limit_seconds_);
    if (!queue_.stopped_because().empty()) return;  // nothing would be started again
    for (const PackToShrink& pack : repacking_.worth_it(processes_.all(), cells_.all())) {
      processes_.stop_to_repack(pack.process);
    }
  }

  // Whether the pack must wait until what runs, or is about to, has left more room.
  bool hold_back(const PlannedPack& next, const std::vector<PlannedPack>& round) {
    const bool is_first = processes_.running() == 0 && round.empty();
    std::string why = room_.why_no_disk(processes_.cells(), together(round, next));
    if (why.empty() && !is_first) why = room_.why_no_memory(together(round, next));
    if (why.empty()) return false;
    queue_.put_back(next);
    asks_again_at_ = monotonic_seconds() + kSecondsHeldBack;
    if (is_first) stop_.pause(why);
    if (!is_first && held_back_ != next) {
      display_.line("waiting for room beside the runs in progress: " + why);
      held_back_ = next;
    }
    return true;
  }

  // Once, for near its end it may be that of every run.
  void tell_of_budget() {
    if (told_of_budget_ || !queue_.stopped_because().empty()) return;
    display_.line("waiting until a run has ended: " + budget_.reached_because());
    told_of_budget_ = true;
  }

  // Nothing runs here any more: whether something is to be waited for, or started now.
  bool goes_on_elsewhere() {
    if (others_.take_back(SweepCells::Ask::kAtOnce)) {
      ask_again();
      return true;
    }
    if (learns_what_runs_beside()) return true;
    return budget_.reached_because().empty() ? others_.are_waited_for() : others_.leave_some();
  }

  RunSweepResult result() const {
    RunSweepResult result;
    result.states = count_states(cells_.at_the_end());
    result.resumable = result.states.at(CellState::kInterrupted);
    result.interrupted = stop_.interrupted();
    result.paused_because = stop_.paused_because();
    result.over_budget_because = budget_.reached_because();
    result.interrupted_over_budget = budget_.interrupted_and_held();
    result.budget_counts_elsewhere = !budget_.held_beside().empty();
    if (!stop_.is_to_stop() && queue_.stopped_because() != budget_.reached_because()) {
      result.stopped_because = queue_.stopped_because();
    }
    int64_t whole = 0;
    for (const auto& [state, count] : result.states) whole += ended(state) ? count : 0;
    if (whole == std::ssize(plan_.cells)) result.over_budget_because.clear();  // others did it
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
  LaunchBudget budget_{plan_, cells_};
  std::vector<PlannedPack> packs_;  // as they were to be at the beginning
  RunQueue queue_;
  Room room_{plan_};
  PackProcesses processes_;
  Repacking repacking_{plan_};
  LaunchDisplay display_;
  LaunchStop stop_{queue_, processes_, display_};
  AttemptJudge judge_;
  EndedProcesses ended_{plan_, judge_, cells_, queue_, budget_, stop_, display_};
  OtherLaunchers others_{plan_, cells_, queue_, display_};
  bool is_recorded_ = false;  // the sweep's record says what is to be run
  PlannedPack held_back_;     // for want of room, of which that was told
  bool told_of_budget_ = false;
  double asks_again_at_ = 0;  // monotonic seconds
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
