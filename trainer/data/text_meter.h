// How many bytes of text stand behind token ids, where only the ids are there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "trainer/data/tokenizer.h"

namespace scalelaw {

// Decodes the ids and counts: document by document, longer ones in parts of 65536 ids, at whose
// cuts a character may be counted as two. Of a model that normalises text, it is the normalised
// text.
class TextMeter {
 public:
  explicit TextMeter(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}  // which outlives this

  void add(std::span<const uint32_t> tokens);
  // nullopt: some tokens stand for text that the tokenizer could not express, and it is lost.
  std::optional<int64_t> finish();

 private:
  void decode_pending();

  const Tokenizer& tokenizer_;
  std::vector<uint32_t> pending_;
  int64_t bytes_ = 0;
  bool lost_ = false;
};

}  // namespace scalelaw
