#include "trainer/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "trainer/control_groups.h"

namespace scalelaw {
namespace {

// Of lines of a name and a number.
std::optional<int64_t> number_named(const std::filesystem::path& file, const std::string& name) {
  std::ifstream lines(file);
  int64_t number = 0;
  for (std::string each, rest; lines >> each; std::getline(lines, rest)) {
    if (each == name && lines >> number) return number;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> memory_limit(const std::filesystem::path& mounted, std::string_view groups) {
  return least_in_groups(mounted, groups, "memory",
                         [](const std::filesystem::path& group) -> std::optional<double> {
                           for (const char* name : {"memory.max", "memory.limit_in_bytes"}) {
                             double bytes = 0;  // "max": none
                             if (std::ifstream(group / name) >> bytes && bytes > 0) return bytes;
                           }
                           return std::nullopt;
                         });
}

double machine_memory_bytes() {
  const double present =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return std::min(present, memory_limit("/sys/fs/cgroup", own_control_groups()).value_or(present));
}

std::optional<double> available_memory_bytes(const std::filesystem::path& account) {
  std::ifstream lines(account);
  for (std::string name, rest; lines >> name; std::getline(lines, rest)) {
    double kibibytes = 0;
    if (name == "MemAvailable:" && lines >> kibibytes) return 1024 * kibibytes;
  }
  return std::nullopt;
}

double peak_memory_bytes() {
  return 1024 * static_cast<double>(number_named("/proc/self/status", "VmHWM:").value_or(0));
}

std::optional<int64_t> kills_for_memory(const std::filesystem::path& mounted,
                                        std::string_view groups,
                                        const std::filesystem::path& machine) {
  std::optional<int64_t> kills;  // of the innermost group that tells
  least_in_groups(mounted, groups, "memory",
                  [&](const std::filesystem::path& group) -> std::optional<double> {
                    for (const char* file : {"memory.events", "memory.oom_control"}) {
                      if (!kills) kills = number_named(group / file, "oom_kill");
                    }
                    return std::nullopt;
                  });
  return kills ? kills : number_named(machine, "oom_kill");
}

std::optional<int64_t> kills_for_memory() {
  return kills_for_memory("/sys/fs/cgroup", own_control_groups());
}

}  // namespace scalelaw
