#include "trainer/available_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

std::optional<double> cores_of(std::istream& text) {
  double quota = 0, period = 0;  // "max" and -1: none
  if (text >> quota >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

std::optional<double> quota_of_group(const fs::path& group) {
  if (std::ifstream file(group / "cpu.max"); file) return cores_of(file);
  std::stringstream both;
  both << std::ifstream(group / "cpu.cfs_quota_us").rdbuf() << ' '
       << std::ifstream(group / "cpu.cfs_period_us").rdbuf();
  return cores_of(both);
}

bool names_cpu(std::string controllers) {
  return ("," + std::move(controllers) + ",").find(",cpu,") != std::string::npos;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& mounted, std::string_view groups) {
  std::optional<double> least;
  std::istringstream lines{std::string(groups)};
  // "0::/user.slice/a" (version 2) or "4:cpu,cpuacct:/docker/1f" (version 1)
  for (std::string number, controllers, group; std::getline(lines, number, ':') &&
                                               std::getline(lines, controllers, ':') &&
                                               std::getline(lines, group);) {
    if (!controllers.empty() && !names_cpu(controllers)) continue;
    const fs::path root = controllers.empty() ? mounted : mounted / "cpu";
    fs::path below = fs::path(group).lexically_normal().relative_path();
    while (true) {
      const std::optional<double> quota = quota_of_group(root / below);
      if (quota) least = std::min(least.value_or(*quota), *quota);
      if (below.empty()) break;
      below = below.parent_path();
    }
  }
  return least;
}

int available_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  int cores = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
  std::ostringstream groups;
  groups << std::ifstream("/proc/self/cgroup").rdbuf();
  if (const std::optional<double> quota = cpu_quota("/sys/fs/cgroup", groups.str())) {
    cores = static_cast<int>(std::min<double>(cores, std::ceil(*quota)));
  }
  return std::max(1, cores);
}

}  // namespace scalelaw
