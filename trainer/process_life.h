// Which process wrote something, and whether it is still there: known at once on the machine where
// it ran, and nowhere else.
#pragma once

#include <cstdint>
#include <string>

namespace scalelaw {

struct ProcessName {
  std::string host;           // for people, and part of the machine's name
  std::string boot;           // of the kernel, drawn at random at each start; "" where not told
  std::string pid_namespace;  // two containers of one machine count processes anew
  int64_t pid = 0;
  int64_t started = 0;  // clock ticks after boot: a number that is used again is another process
};

ProcessName this_process();
std::string describe(const ProcessName& name);  // "pid 4711 on node3"

enum class ProcessLife {
  kRuns,
  kStopped,  // SIGSTOP, a debugger: may go on in a moment or never
  kGone,     // ended, also where nobody has taken its exit code yet
  kUnknown,  // of another machine, another container, or not told
};
ProcessLife life_of(const ProcessName& name);

}  // namespace scalelaw
