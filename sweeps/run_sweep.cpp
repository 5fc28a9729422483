#include "sweeps/run_sweep.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "sweeps/executors/local.h"
#include "sweeps/work_left.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/run_lock.h"
#include "trainer/run_record.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kSecondsBetweenLooks = 0.5;  // at the running cells' metrics

double seconds_since(double start) {
  return monotonic_seconds() - start;
}

struct Started : CellInProgress {
  double at = 0;
};

class SweepRun {
 public:
  SweepRun(const Plan& plan, const RunSweepOptions& options, RunDisplay& display)
      : plan_(plan),
        options_(options),
        display_(display),
        folder_(sweep_folder(plan.options.runs, plan.name)),
        statuses_(look_at_all(plan)),
        queue_(start_order(plan, to_do()), options.queue) {}

  RunSweepResult run() {
    prepare();
    display_.line(plan_.name + ": " + std::to_string(plan_.cells.size()) + " cells, " +
                  std::to_string(queue_.waiting()) + " to run, " + std::to_string(options_.jobs) +
                  " at a time");
    while (true) {
      start_waiting();
      if (executor_.running() == 0 && !take_back_elsewhere()) break;
      if (executor_.running() == 0) continue;
      show();
      const LocalExecutor::Event event = executor_.wait(kSecondsBetweenLooks);
      if (event.stop_signal != 0) stop(event.stop_signal);
      if (event.ended != 0) take_end(event);
    }
    return result();
  }

 private:
  std::vector<std::size_t> to_do() const {
    std::vector<std::size_t> cells;
    for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
      if (!ended(statuses_[i].state)) cells.push_back(i);
    }
    return cells;
  }

  void prepare() {
    if (access(options_.trainer.c_str(), X_OK) != 0) {
      throw ConfigError(options_.trainer.string() +
                        ": no such program; build it, or name it with --trainer");
    }
    const fs::path record = sweep_record_file(plan_.options.runs, plan_.name);
    refuse_name_of_another_sweep(record, plan_);
    folder_.prepare();
    write_sweep_record(record, record_of(plan_));
  }

  void start_waiting() {
    while (executor_.running() < static_cast<std::size_t>(options_.jobs)) {
      const std::optional<std::size_t> index = queue_.next(executor_.running());
      if (!index) return;
      // Another launcher may have been here since the sweep was looked at.
      const PlannedCell& cell = plan_.cells[*index];
      statuses_[*index] = look_at(plan_, cell, {});
      if (ended(statuses_[*index].state)) continue;
      if (statuses_[*index].state == CellState::kRunning) {
        queue_.set_elsewhere(*index);
        continue;
      }
      try {
        start(*index);
      } catch (const std::runtime_error& error) {  // a disk, or fork: what runs goes on
        queue_.stop(error.what());
      }
    }
  }

  void start(std::size_t index) {
    const PlannedCell& cell = plan_.cells[index];
    const fs::path config = folder_.cell_config(cell.content_hash);
    write_atomically(config, to_yaml(cell.config));
    const LocalJob job{
        {options_.trainer.string(), "train", config.string(), "--runs", plan_.options.runs.string(),
         "--data", plan_.options.data.string(), "--device", "cpu", "--threads", "1",
         "--share-memory", std::to_string(options_.jobs)},
        folder_.log(cell.folder)};
    started_[executor_.start(job)] = {{index, statuses_[index].step}, monotonic_seconds()};
    statuses_[index].state = CellState::kRunning;
  }

  void stop(int signal) {
    if (interrupted_) {
      if (!insists(signal) || seconds_since(stop_asked_) <= kSecondsOfOneWish) return;
      executor_.signal_all(SIGKILL);
      display_.line("killing " + std::to_string(executor_.running()) + " runs");
      return;
    }
    interrupted_ = true;
    stop_asked_ = monotonic_seconds();
    queue_.stop("interrupted");
    executor_.signal_all(SIGTERM);
    display_.line("stopping: " + std::to_string(executor_.running()) +
                  " runs write a checkpoint; once more kills them");
  }

  void take_end(const LocalExecutor::Event& event) {
    const Started started = started_.at(event.ended);
    started_.erase(event.ended);
    const PlannedCell& cell = plan_.cells[started.cell];
    CellStatus& status = statuses_[started.cell];
    status = look_at(plan_, cell, {});
    ProcessEnd end = event.end;
    std::string reason = last_line(folder_.log(cell.folder));
    if (reason.starts_with(LocalExecutor::kHeading)) reason = "it said nothing";
    if (end == ProcessEnd{} && !ended(status.state)) {
      end.exit_code = kExitOther;
      reason = "exit 0, but there is no run.json";
    }
    // Killed by us, not by a fault of its own.
    const bool killed_on_demand = interrupted_ && (end.signal == SIGKILL || end.signal == SIGTERM);
    const bool held = status.state == CellState::kRunning || ended(status.state);
    const Verdict verdict =
        killed_on_demand ? Verdict::kInterrupted
                         : queue_.ended(started.cell, end, without_own_names(reason, cell), held);
    if (end.signal == SIGKILL && verdict == Verdict::kFailed) {
      reason += queue_.was_repeated_alone(started.cell)
                    ? "; killed with no other run beside it too, so it was not tried again"
                    : "; not tried again";
    }
    if (killed_on_demand) {
      note_unfinished({cell.content_hash, {kExitInterrupted, 0}, "killed on demand", utc_now()});
    } else if (verdict != Verdict::kComplete && verdict != Verdict::kElsewhere) {
      note_unfinished({cell.content_hash, end, reason, utc_now()});
    }
    if (verdict == Verdict::kComplete) {
      work_left_.completed(started);
    } else if (verdict == Verdict::kFailed) {
      status.state = CellState::kFailed;
    }
    display_.line(end_line(cell, status, verdict, end, reason, started));
  }

  // The healthy runs go on without the note.
  void note_unfinished(const UnfinishedAttempt& attempt) {
    try {
      append_unfinished(folder_, attempt);
    } catch (const std::runtime_error& error) {
      display_.line("warning: status will not show the next line's attempt: " +
                    std::string(error.what()));
    }
  }

  std::string end_line(const PlannedCell& cell, const CellStatus& status, Verdict verdict,
                       const ProcessEnd& end, const std::string& reason, const Started& started) {
    int64_t finished = 0;
    for (const CellStatus& each : statuses_) finished += ended(each.state) ? 1 : 0;
    std::string text = "[" + std::to_string(finished) + " of " +
                       std::to_string(plan_.cells.size()) + "] " + cell.folder + ": ";
    switch (verdict) {
      case Verdict::kComplete: {
        text += status.state == CellState::kDiverged
                    ? status.why
                    : "loss " + loss_text(status.loss_nats) + " on " + status.test_set;
        text += ", " + duration_text(seconds_since(started.at));
        const std::optional<double> left = seconds_left();
        if (left && finished < static_cast<int64_t>(plan_.cells.size())) {
          text += "; about " + duration_text(*left) + " left";
        }
        return text;
      }
      case Verdict::kInterrupted:
        return text + "interrupted at step " + std::to_string(status.step);
      case Verdict::kElsewhere:
        return text + "another process has it";
      case Verdict::kRetry:
        return text + describe(end) + ", will be tried again: " + reason;
      case Verdict::kRetryAlone:
        return text + describe(end) +
               ", will be tried once more when no other run is in progress: " + reason;
      case Verdict::kFailed:
        return text + "failed, " + describe(end) + ": " + reason +
               "\n  its output: " + folder_.log(cell.folder).string();
    }
    return text;
  }

  // Cells that another process had, and has no more without having completed them.
  bool take_back_elsewhere() {
    bool any = false;
    for (const std::size_t index : queue_.take_elsewhere()) {
      statuses_[index] = look_at(plan_, plan_.cells[index], {});
      const CellState state = statuses_[index].state;
      if (ended(state) || state == CellState::kRunning) continue;
      queue_.add(index);
      any = true;
    }
    return any && queue_.stopped_because().empty();
  }

  std::optional<double> seconds_left() const {
    std::vector<CellInProgress> running;
    for (const auto& [pid, started] : started_) running.push_back(started);
    return work_left_.seconds(statuses_, running, seconds_since(start_));
  }

  void show() {
    if (!display_.is_terminal() && seconds_since(looked_) < kSecondsBetweenLooks) return;
    looked_ = monotonic_seconds();
    SweepView view;
    view.plan = &plan_;
    for (const auto& [pid, started] : started_) {
      const PlannedCell& cell = plan_.cells[started.cell];
      CellStatus& status = statuses_[started.cell];
      CellStatus progress = progress_of(run_folder(plan_, cell));
      progress.state = CellState::kRunning;
      progress.step = std::max(progress.step, started.first_step);
      status = progress;
      RunningCell running{&cell, progress, std::nullopt};
      if (progress.tokens_per_second.value_or(0) > 0) {
        running.seconds_left =
            static_cast<double>((cell.steps - progress.step) * cell.config.train.batch_tokens) /
            *progress.tokens_per_second;
      }
      view.running.push_back(std::move(running));
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
    if (!interrupted_) result.stopped_because = queue_.stopped_because();
    const int64_t whole =
        result.states.at(CellState::kComplete) + result.states.at(CellState::kDiverged);
    const bool failed = result.states.at(CellState::kFailed) > 0 || !result.stopped_because.empty();
    if (failed && !interrupted_) {
      result.exit_code = kExitOther;
    } else if (whole < static_cast<int64_t>(plan_.cells.size())) {
      result.exit_code = kExitInterrupted;
    }
    return result;
  }

  const Plan& plan_;
  const RunSweepOptions& options_;
  RunDisplay& display_;
  SweepFolder folder_;
  std::vector<CellStatus> statuses_;  // as last seen, of each cell
  RunQueue queue_;
  LocalExecutor executor_;
  std::map<pid_t, Started> started_;
  double start_ = monotonic_seconds(), looked_ = 0, stop_asked_ = 0;
  WorkLeft work_left_{plan_};
  bool interrupted_ = false;
};

}  // namespace

RunSweepResult run_sweep(const Plan& plan, const RunSweepOptions& options, RunDisplay& display) {
  return SweepRun(plan, options, display).run();
}

}  // namespace scalelaw
