#include "sweeps/launch/launch_stop.h"

#include <signal.h>

#include "sweeps/plan/reports.h"
#include "trainer/clock.h"
#include "trainer/escaped.h"
#include "trainer/stop_signals.h"

namespace scalelaw {

void LaunchStop::pause(const std::string& why) {
  if (is_to_stop()) return;
  paused_because_ = why;
  queue_.stop(why);
  processes_.signal_all(SIGTERM);
  display_.line("pausing: " + escaped(why) +
                (processes_.running() == 0 ? "" : "; stopping " + runs_in_progress()));
}

void LaunchStop::take(int signal) {
  if (interrupted_) {
    if (!insists(signal) || monotonic_seconds() - asked_at_ <= kSecondsOfOneWish) return;
    processes_.signal_all(SIGKILL);
    display_.line("killing " + runs_in_progress());
    return;
  }
  interrupted_ = true;
  asked_at_ = monotonic_seconds();
  queue_.stop("interrupted");
  if (paused_because_.empty()) processes_.signal_all(SIGTERM);  // twice would kill them
  display_.line(processes_.running() == 0 ? "stopping"
                                          : "stopping: " + runs_in_progress() +
                                                " to write a checkpoint; once more kills them");
}

std::string LaunchStop::runs_in_progress() const {
  return counted(static_cast<int64_t>(processes_.cells().size()), "run");
}

}  // namespace scalelaw
