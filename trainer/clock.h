// The time of the calendar, for records, and time that passes, for durations.
#pragma once

#include <string>

namespace scalelaw {

std::string utc_now();        // "2026-01-31T12:00:00Z"
double monotonic_seconds();   // since some moment; safe in a signal handler
double thread_cpu_seconds();  // that the calling thread has computed

}  // namespace scalelaw
