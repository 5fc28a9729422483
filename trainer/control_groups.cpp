#include "trainer/control_groups.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace scalelaw {

std::optional<double> least_in_groups(
    const std::filesystem::path& mounted, std::string_view groups, std::string_view controller,
    const std::function<std::optional<double>(const std::filesystem::path& group)>& read) {
  std::optional<double> least;
  const std::string wanted = "," + std::string(controller) + ",";
  std::istringstream lines{std::string(groups)};
  // "0::/user.slice/a" (version 2) or "4:cpu,cpuacct:/docker/1f" (version 1)
  for (std::string number, controllers, group; std::getline(lines, number, ':') &&
                                               std::getline(lines, controllers, ':') &&
                                               std::getline(lines, group);) {
    const bool is_named = ("," + controllers + ",").find(wanted) != std::string::npos;
    if (!controllers.empty() && !is_named) continue;
    const std::filesystem::path root = controllers.empty() ? mounted : mounted / controller;
    std::filesystem::path below = std::filesystem::path(group).lexically_normal().relative_path();
    while (true) {
      const std::optional<double> found = read(root / below);
      if (found) least = std::min(least.value_or(*found), *found);
      if (below.empty()) break;
      below = below.parent_path();
    }
  }
  return least;
}

std::string own_control_groups() {
  std::ostringstream groups;
  groups << std::ifstream("/proc/self/cgroup").rdbuf();
  return groups.str();
}

}  // namespace scalelaw
