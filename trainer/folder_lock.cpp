#include "trainer/folder_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/disk_space.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

std::filesystem::path lock_file(const std::filesystem::path& folder) {
  return folder / "lock";
}

// The whole file; OFD locks require l_pid = 0.
struct flock whole_file_write_lock() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string read_holder(int file_descriptor) {
  char text[256];
  const ssize_t length = pread(file_descriptor, text, sizeof text, 0);
  std::string holder(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  if (const auto end = holder.find('\n'); end != std::string::npos) holder.resize(end);
  return holder.empty() ? "another process" : holder;
}

// For people only: a torn or stale text changes no decision.
void write_holder(int file_descriptor) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const std::string text = "pid " + std::to_string(getpid()) + " on " + host + "\n";
  if (ftruncate(file_descriptor, 0) != 0) return;
  if (pwrite(file_descriptor, text.data(), text.size(), 0) < 0) return;
}

// A part of the path may not be written, is a file, a link to nothing or to itself, is too long, or
// is where no folder can be made (/proc).
constexpr std::array kAnotherStoreHelps = {EACCES, EPERM,  EROFS, ENOTDIR,
                                           ENOENT, EEXIST, ELOOP, ENAMETOOLONG};

}  // namespace

void throw_in_use(const std::filesystem::path& folder, const std::string& holder) {
  throw ConfigError(folder.string() + kInUseBy + holder +
                    "; wait for it to end, or stop it, then start again");
}

void throw_unwritable(const std::filesystem::path& file, int error) {
  const std::filesystem::path at = existing_part(file);
  const std::string of_link = std::filesystem::is_symlink(at) ? why_no_folder(at) : "";
  if (std::ranges::find(kAnotherStoreHelps, error) != kAnotherStoreHelps.end()) {
    throw ConfigError(file.string() + ": " + (of_link.empty() ? std::strerror(error) : of_link) +
                      "; choose a folder that can be written with --runs");
  }
  throw_disk_error(file.string(), error);
}

void check_store(const std::filesystem::path& runs) {
  std::error_code error;
  if (!std::filesystem::exists(runs, error) && error) throw_unwritable(runs, error.value());
}

FolderLock::FolderLock(const std::filesystem::path& folder) {
  std::error_code error;
  create_folders(folder, error);
  if (error) throw_unwritable(folder, error.value());
  const auto file = lock_file(folder);
  file_descriptor_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_descriptor_ < 0) throw_unwritable(file, errno);

  struct flock lock = whole_file_write_lock();
  if (fcntl(file_descriptor_, F_OFD_SETLK, &lock) == 0) {
    write_holder(file_descriptor_);
    file_ = file;
    return;
  }
  const int reason = errno;
  const std::string holder = read_holder(file_descriptor_);
  close(file_descriptor_);
  if (reason != EAGAIN && reason != EACCES) throw_unwritable(file, reason);
  throw_in_use(folder, holder);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : file_descriptor_(std::exchange(other.file_descriptor_, -1)), file_(std::move(other.file_)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(file_descriptor_, other.file_descriptor_);
  std::swap(file_, other.file_);
  return *this;
}

bool FolderLock::folder_is_there() const {
  struct stat held {
  }, named{};
  return fstat(file_descriptor_, &held) == 0 && stat(file_.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

FolderLock::~FolderLock() {
  if (file_descriptor_ >= 0) close(file_descriptor_);
}

}  // namespace scalelaw
