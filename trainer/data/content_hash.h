// XXH3, 128 bits, canonical: the one hash of this room. Names content, guards against faults of
// disks and copies; no defence against a forger.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace scalelaw {

struct ContentHash {
  uint64_t high = 0;
  uint64_t low = 0;
  auto operator<=>(const ContentHash&) const = default;
};

ContentHash content_hash(std::span<const std::byte> bytes);
ContentHash content_hash(std::string_view text);
std::string hex(ContentHash hash);  // 32 digits

// 64 bits that depend on every bit of the hash and of the key: the place of a document in a
// shuffle of seed `key`.
uint64_t keyed(ContentHash hash, uint64_t key);

// The same hash of bytes that come in parts.
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(const ContentHasher&) = delete;
  ContentHasher& operator=(const ContentHasher&) = delete;

  void add(std::span<const std::byte> bytes);
  ContentHash result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace scalelaw
