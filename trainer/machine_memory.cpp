#include "trainer/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "trainer/control_groups.h"

namespace scalelaw {

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

}  // namespace scalelaw
