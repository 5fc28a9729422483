#include "trainer/data/text_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

namespace scalelaw {

TextHash text_hash(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

uint64_t keyed(TextHash hash, uint64_t key) {
  const std::array<uint64_t, 2> words = {hash.high, hash.low};
  return XXH3_64bits_withSeed(words.data(), sizeof(words), key);
}

}  // namespace scalelaw
