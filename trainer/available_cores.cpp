#include "trainer/available_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include "trainer/control_groups.h"

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

}  // namespace

std::optional<double> cpu_quota(const fs::path& mounted, std::string_view groups) {
  return least_in_groups(mounted, groups, "cpu", quota_of_group);
}

int available_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  int cores = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
  if (const auto quota = cpu_quota("/sys/fs/cgroup", own_control_groups())) {
    cores = static_cast<int>(std::min<double>(cores, std::ceil(*quota)));
  }
  return std::max(1, cores);
}

}  // namespace scalelaw
