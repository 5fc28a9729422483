// XXH3, 128 bits: of token shards, checkpoints and configurations. Not against malice.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace scalelaw {

class Hasher {
 public:
  Hasher();
  ~Hasher();
  void add(std::span<const std::byte> bytes);
  // 32 lower-case hex digits, xxhash's canonical (big-endian) form, of all bytes added so far.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string hash_hex(std::string_view bytes);
// 32 lower-case hex digits.
bool is_hash(std::string_view text);

}  // namespace scalelaw
