#include "tests/support/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "trainer/descriptor.h"

namespace scalelaw {
namespace {

std::string why(const char* what) {
  return std::string("no small disk here: ") + what + ": " + std::strerror(errno);
}

// Its mounts are this process's own from here on.
std::string take_namespace() {
  static const std::string result = [] {
    const uid_t user = geteuid();
    const gid_t group = getegid();
    if (unshare(CLONE_NEWNS) != 0) {
      if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return why("unshare");
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
      std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
    }
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return why("mount");
    return std::string();
  }();
  return result;
}

}  // namespace

std::string mount_small_disk(const std::filesystem::path& place, std::size_t bytes,
                             std::size_t files) {
  if (std::string none = take_namespace(); !none.empty()) return none;
  std::filesystem::create_directories(place);
  std::string size = "size=" + std::to_string(bytes);
  if (files > 0) size += ",nr_inodes=" + std::to_string(files);
  return mount("tmpfs", place.c_str(), "tmpfs", 0, size.c_str()) == 0 ? "" : why("mount");
}

void make_read_only(const std::filesystem::path& place) {
  mount("tmpfs", place.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr);
}

void fill_disk(const std::filesystem::path& file) {
  const Descriptor descriptor(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  const std::vector<std::byte> bytes(4096);
  while (write_all(descriptor.get(), bytes) == 0) {
  }
}

}  // namespace scalelaw
