// Writes a token shard part by part: a split's tokens need not fit into memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "trainer/data/token_shard.h"

namespace scalelaw {

class TokenShardWriter {
 public:
  // Writes beside `file`; n_vocab and tokenizer_hash are given. std::runtime_error: disk.
  TokenShardWriter(const std::filesystem::path& file, TokenShardInfo info);
  ~TokenShardWriter();  // what is not finished is removed

  // ids below n_vocab are the caller's promise (asserted).
  void append(std::span<const uint32_t> tokens);
  // Puts the whole shard in place and returns its header. At least one token was appended.
  TokenShardInfo finish(int64_t n_documents, int64_t text_bytes);

 private:
  class File;
  std::unique_ptr<File> file_;
  TokenShardInfo info_;
};

// A shard whose tokens are in memory; n_tokens, token_bytes and token_hash are filled in.
void write_token_shard(const std::filesystem::path& file, std::span<const uint32_t> tokens,
                       const TokenShardInfo& info);

}  // namespace scalelaw
