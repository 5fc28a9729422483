// Texts into token ids on several cores; the result does not depend on how many.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "trainer/data/corpus.h"
#include "trainer/data/tokenizer.h"

namespace scalelaw {

struct EncodedCounts {
  int64_t documents = 0;  // pieces
  int64_t text_bytes = 0;
  int64_t unknown_tokens = 0;  // text the tokenizer has no piece for: lost
};

// Hands the split's tokens to `sink` part by part, in order: each piece's, then its
// end-of-document token. Memory does not grow with the split. threads 0: one a core. `progress`
// hears, on the calling thread, the bytes of text encoded.
EncodedCounts encode_split(const Corpus& corpus, Split split, const Tokenizer& tokenizer,
                           int threads, const std::function<void(std::span<const uint32_t>)>& sink,
                           const std::function<void(int64_t)>& progress);

}  // namespace scalelaw
