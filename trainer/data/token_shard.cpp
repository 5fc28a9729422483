#include "trainer/data/token_shard.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "trainer/config_error.h"
#include "trainer/data/out_of_reach.h"
#include "trainer/data/token_shard_header.h"
#include "trainer/hash.h"
#include "trainer/transient_fault.h"

namespace scalelaw {

namespace {

[[noreturn]] void fail_system(const std::filesystem::path& file, const char* what, int error) {
  throw std::runtime_error(file.string() + ": " + what + ": " + std::strerror(error));
}

int open_for_reading(const std::filesystem::path& file) {
  int descriptor = -1;
  const int error = with_retries([&] {
    descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    return descriptor < 0 ? errno : 0;
  });
  if (error == 0) return descriptor;
  if (error == ENOENT || error == ENOTDIR) fail_shard(file, "is not there");
  if (error == EACCES) throw closed(file, std::strerror(error));
  fail_system(file, "cannot be opened", error);
}

// How many bytes there were to read at `offset`, at most out.size().
std::size_t read_at(const std::filesystem::path& file, int descriptor, int64_t offset,
                    std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    ssize_t got = -1;
    const int error = with_retries([&] {
      got = ::pread(descriptor, out.data() + filled, out.size() - filled,
                    static_cast<off_t>(offset) + static_cast<off_t>(filled));
      return got < 0 ? errno : 0;
    });
    if (error == EINTR) continue;
    if (error != 0) fail_system(file, "cannot be read", error);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

// Reads and checks the header, and the file's length against it.
TokenShardInfo checked_header(const std::filesystem::path& file, int descriptor) {
  ShardHeader header;
  const std::size_t filled = read_at(file, descriptor, 0, header);
  if (filled < header.size()) {
    fail_shard(file, "is cut short within its header (" + std::to_string(filled) + " bytes)");
  }
  TokenShardInfo info = parse_shard_header(file, header);
  struct stat status {};
  const int error = with_retries([&] { return ::fstat(descriptor, &status) != 0 ? errno : 0; });
  if (error != 0) fail_system(file, "cannot be examined", error);
  const int64_t expected =
      static_cast<int64_t>(kShardHeaderBytes) + info.n_tokens * info.token_bytes;
  if (status.st_size != expected) {
    fail_shard(file, std::string(status.st_size < expected ? "is cut short: " : "is too long: ") +
                         std::to_string(status.st_size) + " bytes, its header says " +
                         std::to_string(expected));
  }
  return info;
}

}  // namespace

TokenShard::TokenShard(const std::filesystem::path& file)
    : file_(file),
      descriptor_(open_for_reading(file)),
      info_(checked_header(file, descriptor_.get())) {
  check_payload();
}

void TokenShard::check_payload() const {
  constexpr int64_t kBlockTokens = int64_t{1} << 17;
  Hasher hasher;
  std::vector<int64_t> ids;
  std::vector<std::byte> bytes;
  int64_t bad = info_.n_tokens;
  for (int64_t first = 0; first < info_.n_tokens; first += kBlockTokens) {
    const int64_t count = std::min(kBlockTokens, info_.n_tokens - first);
    ids.resize(static_cast<std::size_t>(count));
    copy(first, ids);
    bytes.resize(static_cast<std::size_t>(count * info_.token_bytes));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::memcpy(bytes.data() + i * static_cast<std::size_t>(info_.token_bytes), &ids[i],
                  static_cast<std::size_t>(info_.token_bytes));
    }
    hasher.add(bytes);
    const auto at =
        std::find_if(ids.begin(), ids.end(), [this](int64_t id) { return id >= info_.n_vocab; });
    if (at != ids.end()) bad = std::min(bad, first + (at - ids.begin()));
  }
  if (hasher.hex() != info_.token_hash) {
    fail_shard(file_, "tokens are damaged (their hash differs)");
  }
  if (bad < info_.n_tokens) {
    fail_shard(file_, "token " + std::to_string(bad) + " is not below the vocabulary's " +
                          std::to_string(info_.n_vocab));
  }
}

TokenShardInfo TokenShard::read_info(const std::filesystem::path& file) {
  const Descriptor descriptor(open_for_reading(file));
  return checked_header(file, descriptor.get());
}

void TokenShard::copy(int64_t first, std::span<int64_t> out) const {
  const int64_t count = static_cast<int64_t>(out.size());
  if (first < 0 || first > info_.n_tokens || count > info_.n_tokens - first) {
    throw std::out_of_range(file_.string() + ": " + std::to_string(count) + " tokens from " +
                            std::to_string(first) + " of " + std::to_string(info_.n_tokens));
  }
  // The ids are narrower than their places: read into the end of `out`, widen from its start.
  const std::size_t id_bytes = static_cast<std::size_t>(info_.token_bytes);
  const std::span<std::byte> narrow = std::as_writable_bytes(out).last(out.size() * id_bytes);
  const int64_t offset = static_cast<int64_t>(kShardHeaderBytes) + first * info_.token_bytes;
  if (read_at(file_, descriptor_.get(), offset, narrow) < narrow.size()) {
    throw ConfigError(
        file_.string() +
        ": became shorter while it was being read; build the set again, then give the "
        "same command: what was trained is kept");
  }
  const auto widen = [&](auto id) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::memcpy(&id, narrow.data() + i * sizeof(id), sizeof(id));
      out[i] = static_cast<int64_t>(id);
    }
  };
  info_.token_bytes == 2 ? widen(uint16_t{}) : widen(uint32_t{});
}

}  // namespace scalelaw
