#include "trainer/data/text_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cmath>

namespace scalelaw {

namespace {

constexpr uint64_t kSplitKey =
    0x73706c6974;  // any fixed number: the split does not follow the seed

}  // namespace

TextHash text_hash(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

uint64_t keyed(TextHash hash, uint64_t key) {
  const std::array<uint64_t, 2> words = {hash.high, hash.low};
  return XXH3_64bits_withSeed(words.data(), sizeof(words), key);
}

double split_place(TextHash document) {
  return std::ldexp(static_cast<double>(keyed(document, kSplitKey) >> 11), -53);
}

}  // namespace scalelaw
