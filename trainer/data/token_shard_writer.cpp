#include "trainer/data/token_shard_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "trainer/data/token_shard_header.h"
#include "trainer/descriptor.h"
#include "trainer/hash.h"

namespace scalelaw {

class TokenShardWriter::File {
 public:
  explicit File(std::filesystem::path target)
      : target_(std::move(target)), draft_(target_.string() + ".draft") {
    descriptor_ =
        Descriptor(::open(draft_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (descriptor_.get() < 0) fail("cannot be created", errno);
    if (::lseek(descriptor_.get(), kShardHeaderBytes, SEEK_SET) < 0) {
      fail("cannot be written", errno);
    }
  }
  ~File() {
    if (!draft_.empty()) ::unlink(draft_.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::filesystem::path& target() const { return target_; }

  void add(std::span<const std::byte> bytes) {
    hasher_.add(bytes);
    if (const int error = write_all(descriptor_.get(), bytes)) fail("cannot be written", error);
  }

  std::string hash() const { return hasher_.hex(); }

  void publish(const ShardHeader& header) {
    if (::lseek(descriptor_.get(), 0, SEEK_SET) < 0) fail("cannot be written", errno);
    if (const int error = write_all(descriptor_.get(), header)) fail("cannot be written", error);
    if (::fsync(descriptor_.get()) != 0) fail("cannot be synced", errno);
    if (const int error = descriptor_.close()) fail("cannot be closed", error);
    if (::rename(draft_.c_str(), target_.c_str()) != 0) fail("cannot be put in place", errno);
    draft_.clear();
  }

 private:
  [[noreturn]] void fail(const char* what, int error) const {
    throw std::runtime_error(target_.string() + ": " + what + ": " + std::strerror(error));
  }

  std::filesystem::path target_, draft_;
  Descriptor descriptor_;
  Hasher hasher_;
};

TokenShardWriter::TokenShardWriter(const std::filesystem::path& file, TokenShardInfo info)
    : file_(std::make_unique<File>(file)), info_(std::move(info)) {
  assert(info_.n_vocab > 0 && info_.n_vocab <= kMaxVocab);
  info_.n_tokens = 0;
  info_.token_bytes = info_.n_vocab <= 65536 ? 2 : 4;
}

TokenShardWriter::~TokenShardWriter() = default;

void TokenShardWriter::append(std::span<const uint32_t> tokens) {
  assert(std::all_of(tokens.begin(), tokens.end(),
                     [this](uint32_t id) { return int64_t{id} < info_.n_vocab; }));
  if (info_.token_bytes == 2) {
    const std::vector<uint16_t> narrow(tokens.begin(), tokens.end());
    file_->add(std::as_bytes(std::span(narrow)));
  } else {
    file_->add(std::as_bytes(tokens));
  }
  info_.n_tokens += static_cast<int64_t>(tokens.size());
}

TokenShardInfo TokenShardWriter::finish(int64_t n_documents, int64_t text_bytes) {
  info_.n_documents = n_documents;
  info_.text_bytes = text_bytes;
  info_.token_hash = file_->hash();
  file_->publish(to_shard_header(info_));
  return info_;
}

void write_token_shard(const std::filesystem::path& file, std::span<const uint32_t> tokens,
                       const TokenShardInfo& info) {
  TokenShardWriter writer(file, info);
  writer.append(tokens);
  writer.finish(info.n_documents, info.text_bytes);
}

}  // namespace scalelaw
