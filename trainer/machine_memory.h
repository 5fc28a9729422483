// How much of this machine's memory is this process's to use.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace scalelaw {

// Bytes: the least of the machine's memory and of the limits of the process's control groups. Not
// what is free at the moment: what follows from it must come out the same when a run goes on.
double machine_memory_bytes();

// The least limit, in bytes, of the groups that a process is in and of those above them (memory.max
// in version 2, memory.limit_in_bytes in version 1); arguments as of least_in_groups
// (trainer/control_groups.h).
std::optional<double> memory_limit(const std::filesystem::path& mounted, std::string_view groups);

}  // namespace scalelaw
