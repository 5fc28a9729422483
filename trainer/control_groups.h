// The limits that control groups set a process (docker, systemd).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace scalelaw {

// The least number that `read` finds in the folders of the groups that a process is in and of those
// above them; nullopt where it finds none. `mounted`: /sys/fs/cgroup, of version 2 or of version 1
// (the controller's folder in it), with only a part of the host's tree below it in a container.
// `groups`: the text of /proc/self/cgroup. What cannot be read is no limit.
std::optional<double> least_in_groups(
    const std::filesystem::path& mounted, std::string_view groups, std::string_view controller,
    const std::function<std::optional<double>(const std::filesystem::path& group)>& read);

std::string own_control_groups();  // the text of /proc/self/cgroup

}  // namespace scalelaw
