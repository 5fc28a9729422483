#include "trainer/data/tokenizer.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <cassert>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "trainer/config_error.h"
#include "trainer/hash.h"
#include "trainer/utf8.h"

namespace scalelaw {

namespace {

constexpr std::string_view kSpaceSign = "\xe2\x96\x81";  // U+2581, a space within SentencePiece
constexpr uint32_t kByteValues = 256;
// A model's parameters depend on how its trainer shares out the work: a fixed number of threads.
constexpr int kTrainingThreads = 8;
constexpr std::size_t kSentenceBytes = 2048;

// Hands texts to the trainer in parts that end at line ends; what is longer it would leave out.
class PartIterator : public sentencepiece::SentenceIterator {
 public:
  explicit PartIterator(std::span<const std::string_view> texts) {
    for (const std::string_view text : texts) {
      for (const std::string_view part : cut_at_line_ends(text, kSentenceBytes)) {
        parts_.push_back(part);
      }
    }
    load();
  }
  bool done() const override { return at_ >= parts_.size(); }
  void Next() override {
    ++at_;
    load();
  }
  const std::string& value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void load() {
    if (!done()) value_ = parts_[at_];
  }

  std::vector<std::string_view> parts_;
  std::size_t at_ = 0;
  std::string value_;
};

// SentencePiece's message without its own file and condition, and without its own options.
std::string reason(std::string text) {
  if (const std::size_t end = text.find(")] "); end != std::string::npos) text.erase(0, end + 3);
  if (const std::size_t hint = text.find(". Increase vocab_size"); hint != std::string::npos) {
    text.erase(hint);
    text += " (characters of the text, to be held beside 256 bytes)";
  }
  return text;
}

// Of a piece without letters SentencePiece throws an exception of its own, beside its status.
bool loads(sentencepiece::SentencePieceProcessor& processor, const std::string& model) {
  try {
    return processor.LoadFromSerializedProto(model).ok();
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

Tokenizer::Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::bytes() {
  Tokenizer tokenizer;
  tokenizer.name_ = "bytes";
  tokenizer.hash_ = hash_hex("scalelaw tokenizer: 256 bytes, 256 ends a document");
  tokenizer.n_vocab_ = kByteValues + 1;
  tokenizer.end_of_document_ = kByteValues;
  tokenizer.unknown_ = kByteValues + 1;
  return tokenizer;
}

Tokenizer Tokenizer::sentencepiece(std::string model, std::string name) {
  Tokenizer tokenizer;
  tokenizer.processor_ = std::make_unique<sentencepiece::SentencePieceProcessor>();
  if (model.empty() || !loads(*tokenizer.processor_, model)) {
    throw ConfigError(name + ": is not a SentencePiece model, or damaged");
  }
  if (tokenizer.processor_->eos_id() < 0) {
    throw ConfigError(name +
                      ": the SentencePiece model has no end of sentence (</s>), which ends "
                      "a document here");
  }
  tokenizer.name_ = std::move(name);
  tokenizer.hash_ = hash_hex(model);
  tokenizer.cutter_ = std::make_unique<PieceCutter>(*tokenizer.processor_, model);
  tokenizer.model_ = std::move(model);
  tokenizer.n_vocab_ = tokenizer.processor_->GetPieceSize();
  tokenizer.end_of_document_ = static_cast<uint32_t>(tokenizer.processor_->eos_id());
  const int unknown = tokenizer.processor_->unk_id();
  tokenizer.unknown_ = static_cast<uint32_t>(unknown < 0 ? tokenizer.n_vocab_ : unknown);
  return tokenizer;
}

std::vector<uint32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<uint32_t> tokens;
  if (processor_ == nullptr) {
    tokens.reserve(text.size());
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    return tokens;
  }
  std::vector<int> ids;
  const auto status = processor_->Encode({text.data(), text.size()}, &ids);
  if (!status.ok()) throw std::runtime_error("SentencePiece: " + status.ToString());
  tokens.assign(ids.begin(), ids.end());
  return tokens;
}

std::string Tokenizer::decode(std::span<const uint32_t> tokens) const {
  std::string text;
  std::vector<int> ids;
  for (const uint32_t token : tokens) {
    assert(int64_t{token} < n_vocab_);
    if (token == end_of_document_) continue;
    if (processor_ == nullptr) {
      text += static_cast<char>(token);
    } else {
      ids.push_back(static_cast<int>(token));
    }
  }
  if (processor_ == nullptr) return text;
  const auto status = processor_->Decode(ids, &text);
  if (!status.ok()) throw std::runtime_error("SentencePiece: " + status.ToString());
  return text;
}

std::string Tokenizer::text_of(uint32_t token) const {
  assert(int64_t{token} < n_vocab_);
  if (token == end_of_document_) return "";
  if (processor_ == nullptr) return {static_cast<char>(token)};
  const int id = static_cast<int>(token);
  if (processor_->IsControl(id)) return "";
  if (processor_->IsUnknown(id)) return decode(std::span(&token, 1));
  std::string piece = processor_->IdToPiece(id);
  if (processor_->IsByte(id)) {  // <0x41>
    return {static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16))};
  }
  for (std::size_t at = 0; (at = piece.find(kSpaceSign, at)) != std::string::npos; ++at) {
    piece.replace(at, kSpaceSign.size(), " ");
  }
  return piece;
}

std::string train_sentencepiece(PieceModel kind, int64_t n_vocab,
                                std::span<const std::string_view> texts) {
  const std::unordered_map<std::string, std::string> options = {
      {"model_type", kind == PieceModel::kBpe ? "bpe" : "unigram"},
      {"vocab_size", std::to_string(n_vocab)},
      {"num_threads", std::to_string(kTrainingThreads)},
      {"character_coverage", "0.9995"},
      {"byte_fallback", "true"},
      {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", "false"},
      {"remove_extra_whitespaces", "false"},
      {"allow_whitespace_only_pieces", "true"},
      {"split_digits", "true"},
      {"max_sentence_length", std::to_string(kSentenceBytes)},
      {"minloglevel", "3"},
  };
  PartIterator parts(texts);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &parts, &model);
  if (!status.ok()) {
    throw ConfigError("--tokenizer: SentencePiece cannot make " + std::to_string(n_vocab) +
                      " pieces from this text: " + reason(status.message()));
  }
  return model;
}

}  // namespace scalelaw
