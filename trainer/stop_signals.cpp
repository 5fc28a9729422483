#include "trainer/stop_signals.h"

#include "trainer/clock.h"

namespace scalelaw {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<double> stop_requested_at{0};

void request_stop(int signal) {
  const double now = monotonic_seconds();
  if (!stop_requested) stop_requested_at = now;
  stop_requested = true;
  if (insists(signal) && now - stop_requested_at > kSecondsOfOneWish) {
    ::signal(signal, SIG_DFL);
    raise(signal);
  }
}

}  // namespace

bool insists(int signal) {
  return signal == SIGINT || signal == SIGTERM;
}

bool is_ignored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

const std::atomic<bool>& stop_on_signals() {
  for (const int number : kStopSignals) {
    if (!is_ignored(number)) signal(number, request_stop);
  }
  return stop_requested;
}

}  // namespace scalelaw
