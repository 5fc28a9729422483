#include "trainer/data/token_shard_header.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <span>
#include <string_view>

#include "trainer/config_error.h"
#include "trainer/data/out_of_reach.h"
#include "trainer/hash.h"

namespace scalelaw {

static_assert(std::endian::native == std::endian::little, "token shards are little-endian");

namespace {

using Digits = std::array<char, 32>;

constexpr std::array<char, 8> kMagic = {'S', 'C', 'L', 'T', 'O', 'K', 'E', 'N'};
constexpr uint32_t kVersion = 1;

struct Fields {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t token_bytes;
  int64_t n_vocab;
  int64_t n_tokens;
  int64_t n_documents;
  int64_t text_bytes;
  Digits tokenizer_hash;
  Digits token_hash;
  Digits header_hash;
};
static_assert(sizeof(Fields) == 144);

std::string text(const Digits& digits) {
  return {digits.data(), digits.size()};
}

Digits digits(const std::string& hash) {
  assert(hash.size() == 32);
  Digits out{};
  std::copy_n(hash.begin(), std::min(hash.size(), out.size()), out.begin());
  return out;
}

// All 4096 bytes, the hash's own digits taken as zeros.
Digits hash_of(ShardHeader header) {
  std::memset(header.data() + offsetof(Fields, header_hash), 0, sizeof(Digits));
  return digits(
      hash_hex(std::string_view(reinterpret_cast<const char*>(header.data()), header.size())));
}

bool is_sane(const Fields& fields) {
  return (fields.token_bytes == 2 || fields.token_bytes == 4) && fields.n_vocab > 0 &&
         fields.n_vocab <= kMaxVocab && fields.n_tokens > 0 &&
         fields.n_tokens < (int64_t{1} << 53) && fields.n_documents >= 0 && fields.text_bytes >= 0;
}

}  // namespace

void fail_shard(const std::filesystem::path& file, const std::string& fault) {
  throw ConfigError(file.string() + ": " + fault +
                    "; build the data set again with `scalelaw data build --replace`");
}

ShardHeader to_shard_header(const TokenShardInfo& info) {
  Fields fields{.magic = kMagic,
                .version = kVersion,
                .token_bytes = static_cast<uint32_t>(info.token_bytes),
                .n_vocab = info.n_vocab,
                .n_tokens = info.n_tokens,
                .n_documents = info.n_documents,
                .text_bytes = info.text_bytes,
                .tokenizer_hash = digits(info.tokenizer_hash),
                .token_hash = digits(info.token_hash),
                .header_hash = {}};
  assert(is_sane(fields));
  ShardHeader header{};
  std::memcpy(header.data(), &fields, sizeof(fields));
  fields.header_hash = hash_of(header);
  std::memcpy(header.data(), &fields, sizeof(fields));
  return header;
}

TokenShardInfo parse_shard_header(const std::filesystem::path& file, const ShardHeader& header) {
  Fields fields;
  std::memcpy(&fields, header.data(), sizeof(fields));
  if (fields.magic != kMagic) fail_shard(file, "is not a token shard (wrong first 8 bytes)");
  if (fields.version > kVersion) throw too_new(file, fields.version, kVersion);
  if (hash_of(header) != fields.header_hash) {
    fail_shard(file, "header is damaged (its hash differs)");
  }
  if (!is_sane(fields)) fail_shard(file, "header holds impossible numbers");
  return {.n_vocab = fields.n_vocab,
          .n_tokens = fields.n_tokens,
          .n_documents = fields.n_documents,
          .text_bytes = fields.text_bytes,
          .token_bytes = static_cast<int>(fields.token_bytes),
          .tokenizer_hash = text(fields.tokenizer_hash),
          .token_hash = text(fields.token_hash)};
}

}  // namespace scalelaw
