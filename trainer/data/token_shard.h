// Tokens on disk: one file a split, uint16 or uint32, checked when opened, read by place.
//
// Layout (little-endian): 4096 bytes of header (token_shard_header.cpp, then zeros), then n_tokens
// ids. The header's hash covers all 4096 bytes, its own 32 digits taken as zeros.
// In a set that was built documents, long ones in pieces, follow one another in one seeded shuffle,
// each piece ended by the end-of-document token, so the first D tokens are a fair sample and
// smaller sets are nested in larger ones. An imported set has its tokens in the order that they
// came in.
//
// Read with pread and not through a mapping: a file cut short under a mapping ends the process with
// SIGBUS, at any moment; a read that comes short is an error like any other. The kernel's page
// cache holds the file once for all processes either way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "trainer/descriptor.h"

namespace scalelaw {

struct TokenShardInfo {
  int64_t n_vocab = 0;
  int64_t n_tokens = 0;
  int64_t n_documents = 0;     // pieces: ends of documents among the tokens; 0: not known
  int64_t text_bytes = 0;      // UTF-8 bytes of the text behind the tokens; 0: not known
  int token_bytes = 2;         // 2 up to n_vocab 65536, else 4
  std::string tokenizer_hash;  // 32 hex digits
  std::string token_hash;      // 32 hex digits, of the payload: the split's identity
};

class TokenShard {
 public:
  // Opens and checks the file: magic, version, header hash, length, payload hash, every id below
  // n_vocab. ConfigError names the file and the fault.
  explicit TokenShard(const std::filesystem::path& file);
  // Header alone, length checked, payload not read. For planning.
  static TokenShardInfo read_info(const std::filesystem::path& file);

  const TokenShardInfo& info() const { return info_; }
  const std::filesystem::path& file() const { return file_; }
  // Copies tokens [first, first + out.size()) as int64; safe from several threads.
  // std::out_of_range beyond the end; ConfigError when the file has become shorter since it was
  // opened; std::runtime_error when the disk fails.
  void copy(int64_t first, std::span<int64_t> out) const;

 private:
  void check_payload() const;

  std::filesystem::path file_;
  Descriptor descriptor_;
  TokenShardInfo info_;
};

}  // namespace scalelaw
