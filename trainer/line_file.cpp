#include "trainer/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "trainer/disk_space.h"
#include "trainer/transient_fault.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMostKept = 1 << 20;  // of a run without checkpoints

}  // namespace

LineFile::LineFile(const std::filesystem::path& file) : file_(file) {
  const int error = with_retries([&] {
    descriptor_ = Descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    return descriptor_.get() < 0 ? errno : 0;
  });
  if (error != 0) throw_disk_error(file_.string() + ": cannot be written", error);
}

void LineFile::append(std::string_view line) {
  bool keeps_much = false;
  {
    const std::lock_guard lock(mutex_);
    kept_ += std::string(line) + '\n';
    keeps_much = kept_.size() > kMostKept;
  }
  try {
    keeps_much ? sync() : write_held_back();
  } catch (const DiskFull&) {
    return;
  }
}

void LineFile::write_held_back() {
  const std::lock_guard lock(mutex_);
  if (const int error = with_retries([this] { return write_kept(); }); error != 0) {
    throw_disk_error(file_.string() + ": a line could not be written", error);
  }
}

void LineFile::sync() {
  write_held_back();
  const int error = with_retries([this] { return force_to_disk(); });
  if (error != 0) throw_disk_error(file_.string() + ": cannot sync", error);
}

// Its errno, or 0.
int LineFile::force_to_disk() {
  int64_t written = 0;
  {
    const std::lock_guard lock(mutex_);
    if (const int error = write_kept(); error != 0) return error;
    written = written_;
  }
  const int error = ::fsync(descriptor_.get()) == 0 ? 0 : errno;
  const std::lock_guard lock(mutex_);
  if (error != 0) {
    // Room is reserved as late as here on some file systems, and a server may be away: what found
    // none is dropped, and written again.
    cut_to(synced_);
    return error;
  }
  if (written > synced_) kept_.erase(0, static_cast<std::size_t>(written - synced_));
  synced_ = std::max(synced_, written);
  return 0;
}

// Its errno, or 0.
int LineFile::write_kept() {
  const int64_t end = synced_ + static_cast<int64_t>(kept_.size());
  while (written_ < end) {
    const auto at = static_cast<std::size_t>(written_ - synced_);
    const ssize_t count =
        ::pwrite(descriptor_.get(), kept_.data() + at, kept_.size() - at, written_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      const std::size_t newline = kept_.substr(0, at).rfind('\n');
      cut_to(newline == std::string::npos ? synced_ : synced_ + static_cast<int64_t>(newline) + 1);
      return error;
    }
    written_ += count;
  }
  return 0;
}

void LineFile::cut_to(int64_t size) {
  // Where that fails a reader finds a last line that is torn, which the next write completes.
  (void)!::ftruncate(descriptor_.get(), size);
  written_ = size;
}

}  // namespace scalelaw
