#include "sweeps/status/watch.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sweeps/status/cell_watch.h"
#include "sweeps/status/law_glance.h"
#include "sweeps/status/terminal.h"
#include "sweeps/status/watch_frame.h"
#include "sweeps/tuning/what_is_known.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

constexpr int kLooksOfPatience = 5;
constexpr double kMostShareOfTime = 0.1;                  // that looking may take
constexpr std::chrono::milliseconds kBetweenGlances(50);  // at signals and the terminal's size

std::atomic<bool> suspension_asked{false};

void ask_suspension(int) {
  suspension_asked = true;
}

class Watch {
 public:
  Watch(const std::function<Plan()>& plan, const WatchOptions& options, std::ostream& out)
      : make_plan_(plan),
        options_(options),
        out_(out),
        watched_(std::make_unique<Watched>(plan())),
        screen_(out) {
    if (!is_ignored(SIGTSTP)) signal(SIGTSTP, ask_suspension);
  }

  int run() {
    EndOfSweep end;
    std::optional<int> exit_code;
    for (bool is_first = true;; is_first = false) {
      const double began = monotonic_seconds();
      if (!is_first) watched_->cells.look(is_to_stop_);
      go_on_to_next_stage();
      view_ = watch_view(watched_->plan, watched_->cells.statuses(), watched_->laws, utc_now());
      paint();
      exit_code = end.look(watched_->cells.statuses());
      if (exit_code || is_to_stop_) break;
      const double took = monotonic_seconds() - began;
      wait_until(began + std::max(options_.every_seconds, took / kMostShareOfTime));
      if (is_to_stop_) break;
    }
    screen_.leave();
    for (const std::string& line : page_) out_ << line << '\n';
    return exit_code.value_or(kExitInterrupted);
  }

 private:
  struct Watched {
    explicit Watched(Plan&& planned) : plan(std::move(planned)), laws(plan), cells(plan) {}
    const Plan plan;
    LawGlances laws;
    CellWatch cells;
  };

  // What waited for cells that have ended is known now.
  void go_on_to_next_stage() {
    const std::vector<CellStatus>& statuses = watched_->cells.statuses();
    const auto is_over = [](const CellStatus& each) {
      return ended(each.state) || each.state == CellState::kWaiting ||
             each.state == CellState::kFailed;
    };
    if (waiting_cells(watched_->plan) == 0 || !std::ranges::all_of(statuses, is_over)) return;
    Plan next = make_plan_();
    if (know_the_same(next, watched_->plan)) return;
    watched_ = std::make_unique<Watched>(std::move(next));
  }

  void paint() {
    size_ = stdout_size();
    page_ = render(watched_->plan, view_, size_);
    screen_.paint(page_, size_);
  }

  void wait_until(double moment) {
    while (!is_to_stop_ && monotonic_seconds() < moment) {
      if (suspension_asked.exchange(false)) suspend();
      if (stdout_size() != size_) paint();
      std::this_thread::sleep_for(kBetweenGlances);
    }
  }

  // Ctrl-Z leaves the shell its screen.
  void suspend() {
    screen_.leave();
    raise(SIGSTOP);
    paint();
  }

  const std::function<Plan()>& make_plan_;
  const WatchOptions& options_;
  std::ostream& out_;
  const std::atomic<bool>& is_to_stop_ = stop_on_signals();
  std::unique_ptr<Watched> watched_;
  WatchView view_;
  TerminalSize size_;
  std::vector<std::string> page_;
  FullScreen screen_;
};

}  // namespace

std::optional<int> EndOfSweep::look(const std::vector<CellStatus>& statuses) {
  const auto all_are = [&](const auto& is) { return std::ranges::all_of(statuses, is); };
  if (all_are([](const CellStatus& each) { return ended(each.state); })) return kExitComplete;
  const bool all_failed = all_are([](const CellStatus& each) {
    return ended(each.state) || each.state == CellState::kFailed ||
           each.state == CellState::kWaiting;
  });
  looks_without_work_ = all_failed ? looks_without_work_ + 1 : 0;
  const bool nothing_may_start =
      all_are([](const CellStatus& each) { return !may_start(each); }) && all_failed;
  if (nothing_may_start || looks_without_work_ >= kLooksOfPatience) return kExitOther;
  return std::nullopt;
}

int watch_sweep(const std::function<Plan()>& make_plan, const WatchOptions& options,
                std::ostream& out) {
  if (stdout_is_terminal() && !options.once) return Watch(make_plan, options, out).run();
  const Plan plan = make_plan();
  const std::vector<CellStatus> statuses = look_at_all(plan);
  for (const std::string& line :
       render(plan, watch_view(plan, statuses, LawGlances(plan), utc_now()), std::nullopt)) {
    out << line << '\n';
  }
  return kExitComplete;
}

}  // namespace scalelaw
