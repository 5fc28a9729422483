// Documents and lines by their hash (XXH3, 128 bits): for finding equal ones, for sharing them out,
// for shuffling them. Digits for files and people come from trainer/hash.h.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace scalelaw {

struct TextHash {
  uint64_t high = 0;
  uint64_t low = 0;
  auto operator<=>(const TextHash&) const = default;
};

TextHash text_hash(std::string_view text);

// 64 bits that depend on every bit of the hash and of the key: the place of a document in a
// shuffle of seed `key`.
uint64_t keyed(TextHash hash, uint64_t key);

// From 0 to below 1: where a document falls when shares are cut off for val and test. It depends on
// the document alone.
double split_place(TextHash document);

}  // namespace scalelaw
