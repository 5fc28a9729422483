// Text <-> token ids: a SentencePiece model, or plain bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/data/piece_cutter.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace scalelaw {

class Tokenizer {
 public:
  // Ids 0 to 255 are the bytes, 256 ends a document.
  static Tokenizer bytes();
  // A SentencePiece model; its end-of-sentence id ends a document. ConfigError (names `name`) when
  // it is none, or has no end of sentence.
  static Tokenizer sentencepiece(std::string model, std::string name);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  const std::string& name() const { return name_; }
  const std::string& model() const { return model_; }  // serialized; empty for bytes
  const std::string& hash() const { return hash_; }    // 32 hex digits, of the model
  int64_t n_vocab() const { return n_vocab_; }
  uint32_t end_of_document() const { return end_of_document_; }
  // Stands for what the model has no piece for; n_vocab() when the model has no such id.
  uint32_t unknown() const { return unknown_; }

  // Without an end-of-document token. Safe from several threads.
  std::vector<uint32_t> encode(std::string_view text) const;
  // Where a text may be cut for encoding; nullptr: nowhere.
  const PieceCutter* cutter() const { return cutter_.get(); }
  // The text again, byte for byte, for bytes and for models trained here (but U+2581, which is
  // SentencePiece's own sign for a space, comes back as one). End-of-document tokens are left out.
  std::string decode(std::span<const uint32_t> tokens) const;

  // What one token adds to a text. Of a run of tokens put together it is what decode() gives, but
  // for the space that some foreign models set before a text; end-of-document tokens add nothing.
  std::string text_of(uint32_t token) const;

 private:
  Tokenizer();

  std::string name_;
  std::string model_;
  std::string hash_;
  int64_t n_vocab_ = 0;
  uint32_t end_of_document_ = 0;
  uint32_t unknown_ = 0;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;  // null: bytes
  std::unique_ptr<PieceCutter> cutter_;
};

enum class PieceModel { kBpe, kUnigram };

// Trains a SentencePiece model on whole texts and returns it serialized: nothing normalised, no
// space added or removed, runs of spaces allowed as pieces, digits single, characters outside
// 99.95% of the text as bytes. The same texts give the same model on any number of cores.
// ConfigError when the texts cannot carry n_vocab pieces, or n_vocab cannot hold their characters.
std::string train_sentencepiece(PieceModel kind, int64_t n_vocab,
                                std::span<const std::string_view> texts);

}  // namespace scalelaw
