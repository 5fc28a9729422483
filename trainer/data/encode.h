// Texts into token ids on several cores; the result does not depend on how many.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "trainer/data/corpus.h"
#include "trainer/data/tokenizer.h"

namespace scalelaw {

struct EncodedCounts {
  int64_t documents = 0;  // pieces
  int64_t text_bytes = 0;
  int64_t unknown_tokens = 0;  // text the tokenizer has no piece for: lost
};

using TokenSink = std::function<void(std::span<const uint32_t>)>;

// Hands the split's tokens to `sink` part by part, in order: each piece's, then its
// end-of-document token. Memory does not grow with the split. threads 0: one a core. `progress`
// hears, on the calling thread, the bytes of text encoded.
EncodedCounts encode_split(const Corpus& corpus, Split split, const Tokenizer& tokenizer,
                           int threads, const TokenSink& sink,
                           const std::function<void(int64_t)>& progress);

struct SourceUse {
  double share = 0;        // of the tokens, asked for
  int64_t tokens = 0;      // with the ends of documents
  int64_t text_bytes = 0;  // passed on, repeats as often as they come
  int64_t once_bytes = 0;  // of the source's text, once
};

struct MixtureCounts {
  EncodedCounts all;
  std::vector<SourceUse> sources;
};

// The train split as a mixture of `sources` by tokens (trainer/data/mixture.h), one piece after the
// other. With max_tokens > 0 until there are as many, the last piece whole; a source that has no
// more begins again. Else until one has no more. Memory: 4 MiB of text a source, encoded.
// `progress` hears the bytes of text encoded and about how many there will be.
MixtureCounts encode_mixture(const Corpus& corpus, std::span<const std::span<const Piece>> sources,
                             const std::vector<double>& weights, int64_t max_tokens,
                             const Tokenizer& tokenizer, int threads, const TokenSink& sink,
                             const std::function<void(int64_t, int64_t)>& progress);

}  // namespace scalelaw
