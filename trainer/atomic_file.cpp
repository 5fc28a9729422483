#include "trainer/atomic_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <streambuf>
#include <vector>

#include "trainer/descriptor.h"
#include "trainer/disk_space.h"
#include "trainer/transient_fault.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

struct TransientFault : std::runtime_error {
  TransientFault(const std::string& what, int number) : std::runtime_error(what), error(number) {}
  int error;  // errno
};

[[noreturn]] void fail(const fs::path& path, const char* what, int error) {
  if (is_transient(error)) {
    throw TransientFault(path.string() + ": " + what + ": " + std::strerror(error), error);
  }
  throw_disk_error(path.string() + ": " + what, error);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// Its errno, or 0.
int force_names_to_disk(const fs::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return errno;
  const int error = ::fsync(descriptor.get()) == 0 ? 0 : errno;
  // Some network file systems sync folders by themselves and refuse the call.
  return error == EINVAL || error == ENOTSUP ? 0 : error;
}

// A stream into a descriptor that remembers the first errno.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor), buffer_(1 << 16) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }
  int error() const { return error_; }

 protected:
  int_type overflow(int_type character) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(character, traits_type::eof())) {
      *pptr() = traits_type::to_char_type(character);
      pbump(1);
    }
    return traits_type::not_eof(character);
  }
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    if (size == 0) return 0;  // `data` may then be null
    if (size <= epptr() - pptr()) {
      std::memcpy(pptr(), data, static_cast<std::size_t>(size));
      pbump(static_cast<int>(size));
      return size;
    }
    return sync() == 0 && write(data, static_cast<std::size_t>(size)) ? size : 0;
  }
  int sync() override {
    const auto pending = static_cast<std::size_t>(pptr() - pbase());
    const bool written = write(pbase(), pending);
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return written ? 0 : -1;
  }

 private:
  bool write(const char* data, std::size_t size) {
    if (error_ == 0) error_ = write_all(descriptor_, std::as_bytes(std::span(data, size)));
    return error_ == 0;
  }

  int descriptor_;
  int error_ = 0;
  std::vector<char> buffer_;
};

// A file of its own beside `target`, gone at the end of scope unless renamed away.
class Draft {
 public:
  explicit Draft(const fs::path& target) : target_(target) {
    std::random_device random;
    do {
      std::array<char, 64> name;
      std::snprintf(name.data(), name.size(), "%s%08x%08x", kDraftPrefix, random(), random());
      path_ = folder_of(target) / name.data();
      descriptor_ =
          Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    } while (descriptor_.get() < 0 && errno == EEXIST);
    if (descriptor_.get() < 0) fail(target_, "cannot create", errno);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void fill(const std::function<void(std::ostream&)>& write) {
    DescriptorBuffer buffer(descriptor_.get());
    std::ostream stream(&buffer);
    write(stream);
    stream.flush();
    if (buffer.error() != 0) fail(target_, "cannot write", buffer.error());
    if (!stream) throw std::runtime_error(target_.string() + ": cannot write: stream failed");
    if (::fsync(descriptor_.get()) != 0) fail(target_, "cannot sync", errno);
    if (::fstat(descriptor_.get(), &status_) != 0) fail(target_, "cannot examine", errno);
    if (const int error = descriptor_.close()) fail(target_, "cannot close", error);
  }
  fs::file_time_type made_at() const { return fs::last_write_time(path_); }
  // False, where that is no fault yet (`may_be_gone`), when somebody has removed the draft.
  bool rename_over_target(bool may_be_gone) {
    const int error = with_retries_or_done(
        [this] { return ::rename(path_.c_str(), target_.c_str()) == 0 ? 0 : errno; });
    if (error == ENOENT && may_be_gone) return false;
    if (error != 0) fail(target_, "cannot rename to", error);
    path_.clear();
    sync_folder(folder_of(target_));
    return true;
  }
  // False when the target is there already.
  bool become_target() {
    const int error = with_retries_or_done([this] { return renamed() || linked() ? 0 : errno; });
    if (error == EEXIST) return false;
    if (error != 0) fail(target_, "cannot link to", error);
    sync_folder(folder_of(target_));
    return true;
  }

 private:
  // A fault may be of the answer alone: what it tells of was done, and trying again finds no draft.
  template <typename Operation>
  int with_retries_or_done(const Operation& operation) const {
    bool had_fault = false;
    return with_retries([&] {
      const int error = operation();
      const bool done = had_fault && error != 0 && is_target();
      had_fault = had_fault || is_transient(error);
      return done ? 0 : error;
    });
  }
  bool is_target() const {
    struct stat status;
    return ::stat(target_.c_str(), &status) == 0 && status.st_dev == status_.st_dev &&
           status.st_ino == status_.st_ino;
  }
  // One step: no crash can leave both names.
  bool renamed() {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) != 0) {
      return false;
    }
    path_.clear();
    return true;
  }
  // Where the file system, NFS among them, cannot rename without replacing.
  bool linked() {
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) return false;
    if (::link(path_.c_str(), target_.c_str()) == 0) return true;
    const int error = errno;
    struct stat status;
    // NFS may repeat a link whose answer was lost and then report EEXIST: two names mean it worked.
    if (::stat(path_.c_str(), &status) == 0 && status.st_nlink == 2) return true;
    errno = error;
    return false;
  }

  fs::path target_, path_;
  Descriptor descriptor_;
  struct stat status_ = {};  // of what was filled
};

// A fault that passes costs the draft: what a failed fsync has left of it is not known.
std::unique_ptr<Draft> filled_draft(const fs::path& target,
                                    const std::function<void(std::ostream&)>& write) {
  std::unique_ptr<Draft> draft;
  std::exception_ptr fault;
  with_retries([&] {
    try {
      draft = std::make_unique<Draft>(target);
      draft->fill(write);
      fault = nullptr;
      return 0;
    } catch (const TransientFault& error) {
      fault = std::current_exception();
      return error.error;
    }
  });
  if (fault) std::rethrow_exception(fault);
  return draft;
}

// Its errno, and what could not be done; or 0.
int read_all(const fs::path& path, std::string& content, const char*& what) {
  what = "cannot open";
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) return errno;
  what = "cannot read";
  struct stat status;
  if (::fstat(descriptor.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    content.reserve(static_cast<std::size_t>(status.st_size) + 1);
  }
  std::size_t size = 0;
  while (true) {
    if (content.size() == size) content.resize(std::max(content.capacity(), 2 * size + 4096));
    const ssize_t count = ::read(descriptor.get(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  content.resize(size);
  return 0;
}

std::function<void(std::ostream&)> writer_of(std::string_view content) {
  return [content](std::ostream& stream) {
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  };
}

}  // namespace

void write_atomically(const fs::path& path, std::string_view content) {
  write_atomically(path, writer_of(content));
}

void write_atomically(const fs::path& path, const std::function<void(std::ostream&)>& write,
                      const std::function<void()>& before_rename) {
  // Whoever takes a draft for a crash's may remove it under its writer.
  constexpr int kTimes = 3;
  for (int i = 1; i <= kTimes; ++i) {
    const std::unique_ptr<Draft> draft = filled_draft(path, write);
    before_rename();
    if (draft->rename_over_target(/*may_be_gone=*/i < kTimes)) return;
  }
}

bool publish_atomically(const fs::path& path, std::string_view content) {
  return filled_draft(path, writer_of(content))->become_target();
}

void sync_folder(const fs::path& folder) {
  const int error = with_retries([&] { return force_names_to_disk(folder); });
  if (error != 0) fail(folder, "cannot sync", error);
}

void create_folders(const fs::path& folder, std::error_code& error) {
  const fs::file_status status = fs::status(folder, error);
  if (fs::is_directory(status)) return;
  if (fs::exists(status)) {
    error = std::make_error_code(std::errc::not_a_directory);
    return;
  }
  const fs::path above = folder_of(folder);
  if (above != folder) create_folders(above, error);
  if (error) return;
  fs::create_directory(folder, error);
  if (!error) error.assign(force_names_to_disk(above), std::generic_category());
}

void create_folders(const fs::path& folder) {
  std::error_code error;
  create_folders(folder, error);
  if (error) fail(folder, "cannot create", error.value());
}

void sync_file(const fs::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail(file, "cannot open", errno);
  if (::fsync(descriptor.get()) != 0) fail(file, "cannot sync", errno);
}

std::optional<fs::file_time_type> time_in(const fs::path& folder) {
  try {
    return Draft(folder / "now").made_at();
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

void remove_drafts(const fs::path& folder, std::chrono::seconds older_than) {
  std::vector<fs::path> drafts;
  std::error_code gone;
  for (fs::directory_iterator it(folder, gone), end; !gone && it != end; it.increment(gone)) {
    if (it->path().filename().string().starts_with(kDraftPrefix)) drafts.push_back(it->path());
  }
  if (drafts.empty()) return;
  const bool any_age = older_than.count() == 0;
  const auto now = any_age ? std::nullopt : time_in(folder);
  if (!any_age && !now) return;
  for (const fs::path& draft : drafts) {
    std::error_code ignored;
    const bool is_old = any_age || fs::last_write_time(draft, ignored) < *now - older_than;
    if (!ignored && is_old) fs::remove(draft, ignored);
  }
}

std::string read_whole_file(const fs::path& path) {
  std::string content;
  const char* what = "";
  const int error = with_retries([&] { return read_all(path, content, what); });
  if (error != 0) fail(path, what, error);
  return content;
}

}  // namespace scalelaw
