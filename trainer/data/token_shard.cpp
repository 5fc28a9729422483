#include "trainer/data/token_shard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/hash.h"

namespace scalelaw {

static_assert(std::endian::native == std::endian::little, "token shards are little-endian");

namespace {

constexpr std::size_t kHeaderBytes = 4096;
constexpr std::array<char, 8> kMagic = {'S', 'C', 'L', 'T', 'O', 'K', 'E', 'N'};
constexpr uint32_t kVersion = 1;
constexpr int64_t kMaxVocab = int64_t{1} << 31;

struct TokenShardHeader {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t token_bytes;
  int64_t n_vocab;
  int64_t n_tokens;
  int64_t n_documents;
  int64_t text_bytes;
  std::array<char, 32> tokenizer_hash;
  std::array<char, 32> token_hash;
  std::array<char, 32> header_hash;
};
static_assert(sizeof(TokenShardHeader) == 144);

using HeaderBlock = std::array<std::byte, kHeaderBytes>;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& fault) {
  throw ConfigError(file.string() + ": " + fault +
                    "; build the data set again with `scalelaw data build --replace`");
}

[[noreturn]] void fail_system(const std::filesystem::path& file, const char* what) {
  throw std::runtime_error(file.string() + ": " + what + ": " + std::strerror(errno));
}

std::string text(const std::array<char, 32>& digits) {
  return {digits.data(), digits.size()};
}

std::array<char, 32> digits(const std::string& hash) {
  assert(hash.size() == 32);
  std::array<char, 32> out{};
  std::copy_n(hash.begin(), std::min<std::size_t>(hash.size(), 32), out.begin());
  return out;
}

std::string_view characters(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

HeaderBlock to_block(TokenShardHeader header) {
  HeaderBlock block{};
  header.header_hash.fill('\0');
  std::memcpy(block.data(), &header, sizeof(header));
  header.header_hash = digits(hash_hex(characters(block)));
  std::memcpy(block.data(), &header, sizeof(header));
  return block;
}

TokenShardInfo parse_header(const std::filesystem::path& file, const HeaderBlock& block) {
  TokenShardHeader header;
  std::memcpy(&header, block.data(), sizeof(header));
  if (header.magic != kMagic) fail(file, "is not a token shard (wrong first 8 bytes)");
  if (header.version > kVersion) {
    fail(file, "is a token shard of version " + std::to_string(header.version) +
                   ", this program reads up to " + std::to_string(kVersion));
  }
  if (to_block(header) != block) fail(file, "header is damaged (its hash differs)");
  const bool sane = (header.token_bytes == 2 || header.token_bytes == 4) && header.n_vocab > 0 &&
                    header.n_vocab <= kMaxVocab && header.n_tokens > 0 &&
                    header.n_tokens < (int64_t{1} << 53) && header.n_documents >= 0 &&
                    header.text_bytes >= 0;
  if (!sane) fail(file, "header holds impossible numbers");
  return {.n_vocab = header.n_vocab,
          .n_tokens = header.n_tokens,
          .n_documents = header.n_documents,
          .text_bytes = header.text_bytes,
          .token_bytes = static_cast<int>(header.token_bytes),
          .tokenizer_hash = text(header.tokenizer_hash),
          .token_hash = text(header.token_hash)};
}

int64_t file_bytes(const std::filesystem::path& file, int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail_system(file, "cannot be examined");
  return status.st_size;
}

int open_for_reading(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) return descriptor;
  if (errno == ENOENT || errno == ENOTDIR) fail(file, "is not there");
  fail_system(file, "cannot be opened");
}

// Reads and checks the header, and the file's length against it.
TokenShardInfo checked_header(const std::filesystem::path& file, int descriptor) {
  HeaderBlock block;
  std::size_t filled = 0;
  while (filled < block.size()) {
    const ssize_t got = ::pread(descriptor, block.data() + filled, block.size() - filled,
                                static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_system(file, "cannot be read");
    if (got == 0)
      fail(file, "is cut short within its header (" + std::to_string(filled) + " bytes)");
    filled += static_cast<std::size_t>(got);
  }
  const TokenShardInfo info = parse_header(file, block);
  const int64_t expected = static_cast<int64_t>(kHeaderBytes) + info.n_tokens * info.token_bytes;
  const int64_t actual = file_bytes(file, descriptor);
  if (actual != expected) {
    fail(file, std::string(actual < expected ? "is cut short: " : "is too long: ") +
                   std::to_string(actual) + " bytes, its header says " + std::to_string(expected));
  }
  return info;
}

template <typename Id>
int64_t first_id_at_or_above(const std::byte* payload, int64_t n_tokens, int64_t n_vocab) {
  const Id* ids = reinterpret_cast<const Id*>(payload);
  const Id* end = ids + n_tokens;
  return std::find_if(ids, end, [n_vocab](Id id) { return int64_t{id} >= n_vocab; }) - ids;
}

// Calls sink with the payload's bytes, part by part, each id narrowed to `Id`.
template <typename Id, typename Sink>
void for_each_part(std::span<const uint32_t> tokens, const Sink& sink) {
  constexpr std::size_t kPart = std::size_t{1} << 16;
  std::vector<Id> part;
  for (std::size_t first = 0; first < tokens.size(); first += kPart) {
    const auto ids = tokens.subspan(first, std::min(kPart, tokens.size() - first));
    part.assign(ids.begin(), ids.end());
    sink(std::as_bytes(std::span<const Id>(part)));
  }
}

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file) : value_(open_for_reading(file)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

}  // namespace

TokenShard::TokenShard(const std::filesystem::path& file) : file_(file) {
  Descriptor descriptor(file);
  info_ = checked_header(file, descriptor.get());
  const std::size_t payload_bytes = static_cast<std::size_t>(info_.n_tokens * info_.token_bytes);
  const std::size_t bytes = kHeaderBytes + payload_bytes;
  void* mapping = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor.get(), 0);
  if (mapping == MAP_FAILED) fail_system(file, "cannot be mapped");
  mapping_ = static_cast<const std::byte*>(mapping);
  mapped_bytes_ = bytes;
  descriptor_ = descriptor.release();

  // A constructor that throws runs no destructor: an owner for the mapping until all is checked.
  TokenShard owner(std::move(*this));
  const std::byte* payload = owner.mapping_ + kHeaderBytes;
  if (hash_hex(characters(std::span(payload, payload_bytes))) != owner.info_.token_hash) {
    fail(file, "tokens are damaged (their hash differs)");
  }
  const int64_t at =
      owner.info_.token_bytes == 2
          ? first_id_at_or_above<uint16_t>(payload, owner.info_.n_tokens, owner.info_.n_vocab)
          : first_id_at_or_above<uint32_t>(payload, owner.info_.n_tokens, owner.info_.n_vocab);
  if (at != owner.info_.n_tokens) {
    fail(file, "token " + std::to_string(at) + " is not below the vocabulary's " +
                   std::to_string(owner.info_.n_vocab));
  }
  *this = std::move(owner);
}

TokenShardInfo TokenShard::read_info(const std::filesystem::path& file) {
  const Descriptor descriptor(file);
  return checked_header(file, descriptor.get());
}

TokenShard::TokenShard(TokenShard&& other) noexcept
    : file_(std::move(other.file_)),
      info_(std::move(other.info_)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

TokenShard& TokenShard::operator=(TokenShard&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(info_, other.info_);
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

TokenShard::~TokenShard() {
  if (mapping_ != nullptr) ::munmap(const_cast<std::byte*>(mapping_), mapped_bytes_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

void TokenShard::copy(int64_t first, std::span<int64_t> out) const {
  const int64_t count = static_cast<int64_t>(out.size());
  if (first < 0 || first > info_.n_tokens || count > info_.n_tokens - first) {
    throw std::out_of_range(file_.string() + ": " + std::to_string(count) + " tokens from " +
                            std::to_string(first) + " of " + std::to_string(info_.n_tokens));
  }
  // Reading a mapping beyond a file's end kills the process: ask before.
  if (file_bytes(file_, descriptor_) < static_cast<int64_t>(mapped_bytes_)) {
    throw std::runtime_error(file_.string() + ": became shorter while it was being read");
  }
  const std::byte* payload = mapping_ + kHeaderBytes;
  if (info_.token_bytes == 2) {
    std::copy_n(reinterpret_cast<const uint16_t*>(payload) + first, count, out.begin());
  } else {
    std::copy_n(reinterpret_cast<const uint32_t*>(payload) + first, count, out.begin());
  }
}

void write_token_shard(const std::filesystem::path& file, std::span<const uint32_t> tokens,
                       TokenShardInfo info) {
  info.n_tokens = static_cast<int64_t>(tokens.size());
  info.token_bytes = info.n_vocab <= 65536 ? 2 : 4;
  assert(info.n_tokens > 0 && info.n_vocab > 0 && info.n_vocab <= kMaxVocab);
  assert(std::all_of(tokens.begin(), tokens.end(),
                     [&info](uint32_t id) { return int64_t{id} < info.n_vocab; }));
  const auto for_payload = [&](const auto& sink) {
    info.token_bytes == 2 ? for_each_part<uint16_t>(tokens, sink)
                          : for_each_part<uint32_t>(tokens, sink);
  };
  Hasher hasher;
  for_payload([&hasher](std::span<const std::byte> part) { hasher.add(part); });
  info.token_hash = hasher.hex();

  const HeaderBlock block = to_block({.magic = kMagic,
                                      .version = kVersion,
                                      .token_bytes = static_cast<uint32_t>(info.token_bytes),
                                      .n_vocab = info.n_vocab,
                                      .n_tokens = info.n_tokens,
                                      .n_documents = info.n_documents,
                                      .text_bytes = info.text_bytes,
                                      .tokenizer_hash = digits(info.tokenizer_hash),
                                      .token_hash = digits(info.token_hash),
                                      .header_hash = {}});
  write_atomically(file, [&](std::ostream& out) {
    const auto write = [&out](std::span<const std::byte> bytes) {
      out.write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
    };
    write(block);
    for_payload(write);
  });
}

}  // namespace scalelaw
