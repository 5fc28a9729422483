#include "trainer/data/standard_input.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "trainer/config_error.h"
#include "trainer/descriptor.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // the parser of JSON skips it too

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::runtime_error("standard input " + what + ": " + std::strerror(error));
}

void copy_all(const fs::path& file, const std::function<void(int64_t)>& progress) {
  Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const std::string where = "cannot be put aside in " + file.string();
  if (out.get() < 0) fail(where, errno);
  std::vector<std::byte> chunk(kChunkBytes);
  for (int64_t done = 0;;) {
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot be read", errno);
    if (got == 0 && done == 0) {
      throw ConfigError("standard input is empty: did the command before the pipe fail?");
    }
    if (got == 0) break;
    if (const int error =
            write_all(out.get(), std::span(chunk).first(static_cast<std::size_t>(got)))) {
      fail(where, error);
    }
    progress(done += got);
  }
  if (const int error = out.close()) fail(where, error);
}

// By the first bytes and not by unpacking: a stream that was cut short is packed all the same, and
// read_documents says so.
std::string compression_of(const fs::path& file) {
  std::array<char, 6> bytes{};
  std::ifstream(file, std::ios::binary).read(bytes.data(), bytes.size());
  const std::string_view start(bytes.data(), bytes.size());
  if (start.starts_with("\x1f\x8b")) return ".gz";
  if (start.starts_with(std::string_view("\xfd"
                                         "7zXZ\0",
                                         6)))
    return ".xz";
  if (start.starts_with("\x28\xb5\x2f\xfd")) return ".zst";
  return "";
}

bool begins_with_brace(const fs::path& file) {
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(),
                                                                      &archive_read_free);
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_format_raw(reader.get());
  static_cast<void>(archive_read_open_filename(reader.get(), file.c_str(), kChunkBytes));
  archive_entry* entry = nullptr;
  if (archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK) return false;
  std::string start(4096, '\0');
  const la_ssize_t got = archive_read_data(reader.get(), start.data(), start.size());
  start.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  const std::size_t mark = start.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::size_t first = start.find_first_not_of(" \t\r\n", mark);
  return first != std::string::npos && start[first] == '{';
}

}  // namespace

fs::path put_standard_input_aside(const fs::path& folder, const std::string& text_suffix,
                                  const std::function<void(int64_t)>& progress) {
  if (::isatty(STDIN_FILENO) == 1) {
    throw ConfigError(
        "-: standard input is a terminal; send text through a pipe, as in `zcat books.jsonl.gz | "
        "scalelaw data build - --name books`");
  }
  const fs::path raw = folder / "standard input";
  copy_all(raw, progress);
  fs::path named =
      raw.string() + (begins_with_brace(raw) ? ".jsonl" : text_suffix) + compression_of(raw);
  fs::rename(raw, named);
  return named;
}

}  // namespace scalelaw
