// Encodes many texts with one tokenizer and remembers the parts that come again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trainer/data/tokenizer.h"

namespace scalelaw {

// The tokens are those of Tokenizer::encode. One thread's own; the tokenizer outlives it.
class TextEncoder {
 public:
  explicit TextEncoder(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}
  void encode(std::string_view text, std::vector<uint32_t>& tokens);  // appends

 private:
  struct PartHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view part) const {
      return std::hash<std::string_view>()(part);
    }
  };

  const Tokenizer* tokenizer_;
  std::unordered_map<std::string, std::vector<uint32_t>, PartHash, std::equal_to<>> known_;
};

}  // namespace scalelaw
