// Texts into token ids on several cores; the result does not depend on how many.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "trainer/data/corpus.h"
#include "trainer/data/tokenizer.h"

namespace scalelaw {

struct EncodedSplit {
  std::vector<uint32_t> tokens;  // each piece's, then its end-of-document token
  int64_t documents = 0;         // pieces
  int64_t text_bytes = 0;
  int64_t unknown_tokens = 0;  // text the tokenizer has no piece for: lost
};

// threads 0: one a core. `progress` hears, on the calling thread, the bytes of text encoded.
EncodedSplit encode_split(const std::vector<Piece>& pieces, const Tokenizer& tokenizer, int threads,
                          const std::function<void(int64_t)>& progress);

}  // namespace scalelaw
