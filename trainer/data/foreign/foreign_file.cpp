#include "trainer/data/foreign/foreign_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <stdexcept>

#include "trainer/config_error.h"

namespace scalelaw {

static_assert(std::endian::native == std::endian::little, "foreign ids are read as they lie");

namespace {

// O_NONBLOCK: a pipe without a writer would hold the open for ever.
int open_foreign(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    fail_foreign(path, std::string("cannot be opened: ") + std::strerror(errno));
  }
  return descriptor;
}

}  // namespace

void fail_foreign(const std::filesystem::path& file, const std::string& fault) {
  throw ConfigError(file.string() + ": " + fault);
}

ForeignFile::ForeignFile(const std::filesystem::path& path)
    : path_(path), descriptor_(open_foreign(path)) {
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) {
    throw std::runtime_error(path.string() + ": cannot be examined: " + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) fail_foreign(path, "is a folder: name the files in it");
  if (!S_ISREG(status.st_mode)) {
    fail_foreign(path, "is no regular file, and ids are read twice: write them to one first");
  }
  bytes_ = status.st_size;
}

void ForeignFile::read(int64_t offset, std::span<std::byte> out) const {
  for (std::size_t filled = 0; filled < out.size();) {
    const ssize_t got = ::pread(descriptor_.get(), out.data() + filled, out.size() - filled,
                                static_cast<off_t>(offset) + static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw std::runtime_error(path_.string() + ": cannot be read: " + std::strerror(errno));
    }
    if (got == 0) {
      fail_foreign(path_, "is cut short: it ends at byte " +
                              std::to_string(offset + static_cast<int64_t>(filled)) + ", where " +
                              std::to_string(out.size() - filled) + " more are needed");
    }
    filled += static_cast<std::size_t>(got);
  }
}

}  // namespace scalelaw
