#include "tests/support/recorded_syncs.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace scalelaw {
namespace {

std::mutex recording;
std::vector<std::filesystem::path> recorded;

}  // namespace

std::vector<std::filesystem::path> take_recorded_syncs() {
  const std::lock_guard lock(recording);
  return std::exchange(recorded, {});
}

}  // namespace scalelaw

extern "C" int fsync(int descriptor) {
  std::error_code ignored;
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  {
    const std::lock_guard lock(scalelaw::recording);
    scalelaw::recorded.push_back(std::filesystem::read_symlink(link, ignored));
  }
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}
