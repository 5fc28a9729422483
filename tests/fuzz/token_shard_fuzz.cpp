// A token shard, as it is and with its hashes put right: what an attacker writes has right ones.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "tests/fuzz/fuzz_target.h"
#include "trainer/data/token_shard.h"
#include "trainer/data/token_shard_header.h"
#include "trainer/hash.h"

namespace scalelaw {
namespace {

// Where token_shard_header.cpp has them.
constexpr std::size_t kDigits = 32, kTokenHash = 80, kHeaderHash = 112;

std::string with_right_hashes(std::string shard) {
  if (shard.size() < kShardHeaderBytes) return shard;
  const std::string_view tokens = std::string_view(shard).substr(kShardHeaderBytes);
  shard.replace(kTokenHash, kDigits, hash_hex(tokens));
  shard.replace(kHeaderHash, kDigits, kDigits, '\0');
  shard.replace(kHeaderHash, kDigits,
                hash_hex(std::string_view(shard).substr(0, kShardHeaderBytes)));
  return shard;
}

void read_shard(std::string_view bytes) {
  const TokenShard shard(scratch_file("train.tokens", bytes));
  const auto count = static_cast<std::size_t>(shard.info().n_tokens);
  require(count * static_cast<std::size_t>(shard.info().token_bytes) < bytes.size(),
          "the tokens are in the file");
  std::vector<int64_t> ids(count);
  shard.copy(0, ids);
  const bool below = std::all_of(ids.begin(), ids.end(),
                                 [&](int64_t id) { return id >= 0 && id < shard.info().n_vocab; });
  require(below, "ids are below the vocabulary");
}

}  // namespace

void read_hostile(std::string_view bytes) {
  try {
    read_shard(bytes);
  } catch (const std::runtime_error&) {  // the usual end: a hash differs
  }
  read_shard(with_right_hashes(std::string(bytes)));
}

}  // namespace scalelaw
