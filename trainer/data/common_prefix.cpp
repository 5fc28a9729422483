#include "trainer/data/common_prefix.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>

#include "trainer/data/token_shard_header.h"

namespace scalelaw {
namespace {

constexpr int64_t kWindowTokens = int64_t{1} << 16;

std::string bytes_at(const std::filesystem::path& file, int64_t offset, int64_t count) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(count), '\0');
  in.seekg(static_cast<std::streamoff>(kShardHeaderBytes) + offset);
  in.read(bytes.data(), count);
  if (!in) throw std::runtime_error(file.string() + ": cannot be read");
  return bytes;
}

}  // namespace

bool is_prefix(const DataSetInfo& smaller, const DataSetInfo& larger, Split split) {
  const TokenShardInfo &few = smaller.splits.at(split), &many = larger.splits.at(split);
  if (few.token_hash == many.token_hash) return true;
  const bool is_comparable = few.tokenizer_hash == many.tokenizer_hash &&
                             few.token_bytes == many.token_bytes && few.n_tokens < many.n_tokens;
  if (!is_comparable) return false;
  const std::filesystem::path one = shard_file(smaller, split), other = shard_file(larger, split);
  const int64_t count = std::min(kWindowTokens, few.n_tokens), last = few.n_tokens - count;
  for (const int64_t first : {int64_t{0}, last / 2, last}) {
    const int64_t offset = first * few.token_bytes, bytes = count * few.token_bytes;
    if (bytes_at(one, offset, bytes) != bytes_at(other, offset, bytes)) return false;
  }
  return true;
}

}  // namespace scalelaw
