// What --tokenizer asks for: a tokenizer that is there, or one to be trained on a stated sample.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "trainer/data/builder.h"
#include "trainer/data/corpus.h"
#include "trainer/data/tokenizer.h"

namespace scalelaw {

struct TokenizerRequest {
  std::optional<Tokenizer> given;
  PieceModel kind = PieceModel::kBpe;  // of one to be trained
  int64_t n_vocab = 0;
};

// ConfigError: what BuildOptions::tokenizer says is none of its forms, is not there, or is of a
// kind that this program does not encode with, which comes with the way round.
TokenizerRequest parse_tokenizer(const BuildOptions& options);

// What a tokenizer was trained on.
struct TokenizerSample {
  int64_t documents = 0;  // pieces
  int64_t text_bytes = 0;
  int64_t max_memory_bytes = 0;   // 0: no limit was given
  int64_t peak_memory_bytes = 0;  // of this process, from its start until the tokenizer was there
  bool cut = false;               // the limit made it smaller
};

struct TrainedTokenizer {
  Tokenizer tokenizer;
  TokenizerSample sample;
};

// On the first pieces of train (trainer/data/mixture.h), as many as hold tokenizer_sample_bytes or
// by estimate fit into max_memory_bytes; the estimate is of text with spaces between words.
// ConfigError: nothing fits, or as train_sentencepiece.
TrainedTokenizer train_tokenizer(const BuildOptions& options, const TokenizerRequest& request,
                                 const Corpus& corpus,
                                 const std::function<void(const BuildProgress&)>& progress);

}  // namespace scalelaw
