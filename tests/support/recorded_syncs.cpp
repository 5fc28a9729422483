#include "tests/support/recorded_syncs.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace scalelaw {
namespace {

std::mutex recording;
std::vector<std::filesystem::path> recorded;
int to_fail = 0, fault = 0, fault_of_file = 0;
std::filesystem::path failing_file;

}  // namespace

std::vector<std::filesystem::path> take_recorded_syncs() {
  const std::lock_guard lock(recording);
  return std::exchange(recorded, {});
}

void fail_next_syncs(int count, int error) {
  const std::lock_guard lock(recording);
  to_fail = count;
  fault = error;
}

void fail_syncs_of(const std::filesystem::path& file, int error) {
  const std::lock_guard lock(recording);
  failing_file = file;
  fault_of_file = error;
}

}  // namespace scalelaw

extern "C" int fsync(int descriptor) {
  std::error_code ignored;
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  {
    const std::lock_guard lock(scalelaw::recording);
    if (scalelaw::to_fail > 0) {
      --scalelaw::to_fail;
      errno = scalelaw::fault;
      return -1;
    }
    const std::filesystem::path file = std::filesystem::read_symlink(link, ignored);
    if (!file.empty() && file == scalelaw::failing_file) {
      errno = scalelaw::fault_of_file;
      return -1;
    }
    scalelaw::recorded.push_back(file);
  }
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}
