// Time that passes, whatever becomes of the calendar.
#pragma once

#include <time.h>

namespace scalelaw {

// Seconds since some moment; safe in a signal handler.
inline double monotonic_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace scalelaw
