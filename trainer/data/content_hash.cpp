#include "trainer/data/content_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

namespace scalelaw {

namespace {
ContentHash from(XXH128_hash_t hash) {
  return {hash.high64, hash.low64};
}
}  // namespace

ContentHash content_hash(std::span<const std::byte> bytes) {
  return from(XXH3_128bits(bytes.data(), bytes.size()));
}

ContentHash content_hash(std::string_view text) {
  return from(XXH3_128bits(text.data(), text.size()));
}

std::string hex(ContentHash hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint64_t half : {hash.high, hash.low}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(half >> shift) & 15];
  }
  return text;
}

uint64_t keyed(ContentHash hash, uint64_t key) {
  const std::array<uint64_t, 2> words = {hash.high, hash.low};
  return XXH3_64bits_withSeed(words.data(), sizeof(words), key);
}

struct ContentHasher::State {
  XXH3_state_t xxh;
};

ContentHasher::ContentHasher() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}

ContentHasher::~ContentHasher() = default;

void ContentHasher::add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

ContentHash ContentHasher::result() const {
  return from(XXH3_128bits_digest(&state_->xxh));
}

}  // namespace scalelaw
