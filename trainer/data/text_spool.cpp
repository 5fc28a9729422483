#include "trainer/data/text_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>
#include <stdexcept>

namespace scalelaw {

namespace {

constexpr std::size_t kPendingBytes = std::size_t{1} << 20;

[[noreturn]] void fail(const std::filesystem::path& folder, const char* what, int error) {
  throw std::runtime_error(folder.string() + ": the texts of a build cannot be " + what + ": " +
                           std::strerror(error));
}

int open_nameless(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  // File systems without nameless files, NFS among them: one that loses its name at once.
  std::string name = folder / "textsXXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

TextSpool::TextSpool(const std::filesystem::path& folder)
    : folder_(folder), descriptor_(open_nameless(folder)) {
  if (descriptor_.get() < 0) fail(folder_, "put aside", errno);
}

int64_t TextSpool::append(std::string_view text) {
  const int64_t offset = written_ + static_cast<int64_t>(pending_.size());
  pending_ += text;
  if (pending_.size() >= kPendingBytes) flush();
  return offset;
}

void TextSpool::flush() {
  const auto bytes = std::as_bytes(std::span(pending_));
  if (const int error = write_all(descriptor_.get(), bytes)) fail(folder_, "put aside", error);
  written_ += static_cast<int64_t>(pending_.size());
  pending_.clear();
}

std::string TextSpool::read(int64_t offset, int64_t bytes) const {
  std::string text(static_cast<std::size_t>(bytes), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const int64_t at = offset + static_cast<int64_t>(filled);
    if (at >= written_) {
      text.replace(filled, std::string::npos,
                   pending_.substr(static_cast<std::size_t>(at - written_), text.size() - filled));
      break;
    }
    const std::size_t on_disk = static_cast<std::size_t>(written_ - at);
    const ssize_t count = ::pread(descriptor_.get(), text.data() + filled,
                                  std::min(text.size() - filled, on_disk), at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(folder_, "read again", errno);
    filled += static_cast<std::size_t>(count);
  }
  return text;
}

}  // namespace scalelaw
