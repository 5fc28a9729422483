// The time of the calendar, for records, and time that passes, for durations.
#pragma once

#include <string>
#include <string_view>

namespace scalelaw {

std::string utc_now();                    // "2026-01-31T12:00:00Z"
bool is_utc_time(std::string_view text);  // written so; the earlier of two such texts is the lesser
double monotonic_seconds();               // since some moment; safe in a signal handler
double thread_cpu_seconds();              // that the calling thread has computed

}  // namespace scalelaw
