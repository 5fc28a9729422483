// How much of this machine's processors is this process's to use.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace scalelaw {

// The least of the affinity (taskset, Slurm) and of the CPU quotas of the process's control groups
// (docker --cpus, systemd's CPUQuota), rounded up; at least 1.
int available_cores();

// The least quota, in cores, of the groups that a process is in and of those above them; nullopt
// where none has one. `mounted`: /sys/fs/cgroup, of version 2 (cpu.max) or 1 (cpu.cfs_quota_us in
// the controller's folder), with only a part of the host's tree below it in a container.
// `groups`: the text of /proc/self/cgroup. What cannot be read is no quota.
std::optional<double> cpu_quota(const std::filesystem::path& mounted, std::string_view groups);

}  // namespace scalelaw
