#include "trainer/disk_space.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

#include "trainer/writable_folder.h"

namespace scalelaw {

void throw_disk_error(const std::string& what, int error) {
  const std::string text = what + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) throw DiskFull(text);
  throw std::runtime_error(text);
}

bool tells_of_full_disk(std::string_view line) {
  for (const int error : {ENOSPC, EDQUOT}) {
    if (line.find(std::strerror(error)) != std::string_view::npos) return true;
  }
  return false;
}

std::optional<DiskSpace> space_left(const std::filesystem::path& folder) {
  struct statvfs disk = {};
  if (::statvfs(existing_part(folder).c_str(), &disk) != 0) return std::nullopt;
  DiskSpace space;
  space.bytes = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  if (disk.f_files > 0) space.files = static_cast<double>(disk.f_favail);
  return space;
}

}  // namespace scalelaw
