// How much of this machine's memory is this process's to use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace scalelaw {

// Bytes: the least of the machine's memory and of the limits of the process's control groups. Not
// what is free at the moment: what follows from it must come out the same when a run goes on.
double machine_memory_bytes();

// Bytes that could be used at this moment without swapping: MemAvailable of the kernel's account
// (proc_meminfo(5)); nullopt where it keeps none. Of a container's limit it knows nothing.
std::optional<double> available_memory_bytes(
    const std::filesystem::path& account = "/proc/meminfo");

// Most bytes that this process has held in memory so far (VmHWM, proc_pid_status(5)); 0 where the
// kernel does not say.
double peak_memory_bytes();

// The least limit, in bytes, of the groups that a process is in and of those above them (memory.max
// in version 2, memory.limit_in_bytes in version 1); arguments as of least_in_groups
// (trainer/control_groups.h).
std::optional<double> memory_limit(const std::filesystem::path& mounted, std::string_view groups);

// How many processes the kernel has killed for want of memory so far: of this process's control
// group (memory.events in version 2, memory.oom_control in version 1), else of the whole machine
// (proc_vmstat(5)); nullopt where neither is told. Arguments as above.
std::optional<int64_t> kills_for_memory(const std::filesystem::path& mounted,
                                        std::string_view groups,
                                        const std::filesystem::path& machine = "/proc/vmstat");
std::optional<int64_t> kills_for_memory();  // of the process itself

}  // namespace scalelaw
