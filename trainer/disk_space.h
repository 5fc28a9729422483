// A full disk: how it is told of, and how much is left before it is.
#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace scalelaw {

// No room is left on the disk, in its table of files or in this user's quota (ENOSPC, EDQUOT). What
// was written before is whole, and the same goes on once there is room: exit 3.
class DiskFull : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `what` failed with `error`, an errno: DiskFull, or std::runtime_error with its text.
[[noreturn]] void throw_disk_error(const std::string& what, int error);

// Whether a line, of another process's log, quotes a DiskFull.
bool tells_of_full_disk(std::string_view line);

struct DiskSpace {
  double bytes = 0;             // that this user may still write
  std::optional<double> files;  // that may still be made; nullopt where they are not counted
};
// Of the file system that `folder` lies on, or would lie on. A quota is not seen. nullopt where it
// cannot be asked.
std::optional<DiskSpace> space_left(const std::filesystem::path& folder);

}  // namespace scalelaw
