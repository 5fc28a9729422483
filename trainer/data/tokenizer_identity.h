// Whose token ids an import brings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "trainer/data/tokenizer.h"

namespace scalelaw {

struct TokenizerIdentity {
  std::string name;  // "name:gpt2", or as Tokenizer::name()
  std::string hash;
  int64_t n_vocab = 0;
  std::optional<Tokenizer> tokenizer;  // nullopt: known by name alone
};

// `text` is name:WORD, set:NAME (another set's), bytes, or a SentencePiece model file. A tokenizer
// known by name alone needs `n_vocab`, and two such are the same where name and n_vocab are.
// ConfigError: none of these, no n_vocab, or another than the tokenizer's own.
TokenizerIdentity identify_tokenizer(const std::filesystem::path& data_root,
                                     const std::string& text, std::optional<int64_t> n_vocab);

}  // namespace scalelaw
