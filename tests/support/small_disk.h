// A disk that can be full: a tmpfs of a given size, seen by this process and its children alone.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace scalelaw {

// Mounts one over the folder `place`, in a mount namespace of this process's own; without root in a
// user namespace too, which a process of several threads cannot have. Why that cannot be here, for
// GTEST_SKIP(); "" when it is there. It stays until the process ends. `files`: that it takes at
// most; 0: as many as the system lets it.
std::string mount_small_disk(const std::filesystem::path& place, std::size_t bytes,
                             std::size_t files = 0);

// Makes `file` as large as there is room for.
void fill_disk(const std::filesystem::path& file);

// Nothing can be written to the disk mounted at `place` any more.
void make_read_only(const std::filesystem::path& place);

}  // namespace scalelaw
