#include "trainer/data/tokenizer_identity.h"

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/builder.h"
#include "trainer/data/data_set.h"
#include "trainer/data/token_shard_header.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

TokenizerIdentity named_tokenizer(const std::string& tokenizer, std::optional<int64_t> n_vocab) {
  if (!n_vocab) {
    throw ConfigError("--vocab-size is missing: how many ids has the tokenizer? (GPT-2's 50257)");
  }
  return {.name = tokenizer,
          .hash = named_tokenizer_hash(tokenizer, *n_vocab),
          .n_vocab = *n_vocab,
          .tokenizer = {}};
}

Tokenizer given_tokenizer(const std::string& text) {
  if (text == "bytes") return Tokenizer::bytes();
  if (fs::is_regular_file(text)) {
    return Tokenizer::sentencepiece(read_whole_file(text), fs::path(text).filename().string());
  }
  throw ConfigError("--tokenizer " + text + ": is neither name:WORD, set:NAME, bytes nor a file");
}

}  // namespace

TokenizerIdentity identify_tokenizer(const fs::path& data_root, const std::string& text,
                                     std::optional<int64_t> n_vocab) {
  TokenizerIdentity identity;
  if (text.starts_with(kNamedTokenizer)) {
    if (text.size() == kNamedTokenizer.size()) {
      throw ConfigError("--tokenizer " + text + ": what is it called? (name:gpt2)");
    }
    identity = named_tokenizer(text, n_vocab);
  } else if (text.starts_with("set:")) {
    const DataSetInfo set = open_data_set(data_root, text.substr(4));
    if (set.knows_tokenizer_by_name()) {
      identity = named_tokenizer(set.tokenizer, set.n_vocab);
    } else {
      identity.tokenizer = open_tokenizer(set);
    }
  } else {
    identity.tokenizer = given_tokenizer(text);
  }
  if (identity.tokenizer) {
    identity.name = identity.tokenizer->name();
    identity.hash = identity.tokenizer->hash();
    identity.n_vocab = identity.tokenizer->n_vocab();
  }
  if (n_vocab && *n_vocab != identity.n_vocab) {
    throw ConfigError("--vocab-size " + std::to_string(*n_vocab) + ": --tokenizer " + text +
                      " has " + std::to_string(identity.n_vocab) + " ids; leave the option out");
  }
  if (identity.n_vocab < 1 || identity.n_vocab > kMaxVocab) {
    throw ConfigError("--vocab-size " + std::to_string(identity.n_vocab) + ": is from 1 to " +
                      std::to_string(kMaxVocab));
  }
  return identity;
}

}  // namespace scalelaw
