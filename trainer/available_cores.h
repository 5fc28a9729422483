// How much of this machine's processors is this process's to use.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace scalelaw {

// The least of the affinity (taskset, Slurm) and of the CPU quotas of the process's control groups
// (docker --cpus, systemd's CPUQuota), rounded up; at least 1.
int available_cores();

// The least quota, in cores, of the groups that a process is in and of those above them (cpu.max in
// version 2, cpu.cfs_quota_us in version 1); arguments as of least_in_groups
// (trainer/control_groups.h).
std::optional<double> cpu_quota(const std::filesystem::path& mounted, std::string_view groups);

}  // namespace scalelaw
