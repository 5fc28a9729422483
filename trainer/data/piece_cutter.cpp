#include "trainer/data/piece_cutter.h"

#include <sentencepiece_processor.h>

#include <cstdint>
#include <optional>
#include <string>

namespace scalelaw {

namespace {

constexpr std::string_view kSpaceSign = "\xe2\x96\x81";  // U+2581, a space within SentencePiece

// What cutting asks of a SentencePiece model file, a protocol buffer (sentencepiece_model.proto):
// ModelProto has trainer_spec 2 and normalizer_spec 3.
struct ModelTraits {
  uint64_t model_type = 1;     // trainer_spec 3: 1 unigram, 2 BPE
  bool byte_fallback = false;  // trainer_spec 35
  bool has_charsmap = false;   // normalizer_spec 2
  bool dummy_prefix = true;    // normalizer_spec 3
  bool remove_spaces = true;   // normalizer_spec 4
  bool escape_spaces = true;   // normalizer_spec 5
};

// Reads a message's fields in turn.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : rest_(message) {}

  struct Field {
    uint64_t number = 0;
    uint64_t value = 0;      // of a varint
    std::string_view bytes;  // of a string or message
  };
  // nullopt at the end, or where this is no message.
  std::optional<Field> next() {
    const auto key = varint();
    if (!key) return std::nullopt;
    Field field{.number = *key >> 3, .value = 0, .bytes = {}};
    switch (*key & 7) {
      case 0:
        return with_value(field);
      case 1:
        return with_bytes(field, 8);
      case 2: {
        const auto size = varint();
        return size ? with_bytes(field, *size) : std::nullopt;
      }
      case 5:
        return with_bytes(field, 4);
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  std::optional<Field> with_value(Field field) {
    const auto value = varint();
    if (!value) return std::nullopt;
    field.value = *value;
    return field;
  }
  std::optional<Field> with_bytes(Field field, uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    field.bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return field;
  }

  std::string_view rest_;
};

ModelTraits read_traits(std::string_view model) {
  ModelTraits traits;
  for (FieldReader fields(model); const auto part = fields.next();) {
    FieldReader inner(part->bytes);
    while (part->number == 2) {
      const auto field = inner.next();
      if (!field) break;
      if (field->number == 3) traits.model_type = field->value;
      if (field->number == 35) traits.byte_fallback = field->value != 0;
    }
    while (part->number == 3) {
      const auto field = inner.next();
      if (!field) break;
      if (field->number == 2) traits.has_charsmap = !field->bytes.empty();
      if (field->number == 3) traits.dummy_prefix = field->value != 0;
      if (field->number == 4) traits.remove_spaces = field->value != 0;
      if (field->number == 5) traits.escape_spaces = field->value != 0;
    }
  }
  return traits;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::string with_spaces(std::string piece) {
  for (std::size_t at = 0; (at = piece.find(kSpaceSign, at)) != std::string::npos; ++at) {
    piece.replace(at, kSpaceSign.size(), " ");
  }
  return piece;
}

}  // namespace

PieceCutter::PieceCutter(const sentencepiece::SentencePieceProcessor& processor,
                         std::string_view model) {
  constexpr uint64_t kBpe = 2;
  const ModelTraits traits = read_traits(model);
  cuts_ = traits.model_type == kBpe && traits.byte_fallback && !traits.has_charsmap &&
          !traits.dummy_prefix && !traits.remove_spaces && traits.escape_spaces;
  for (int id = 0; cuts_ && id < processor.GetPieceSize(); ++id) {
    // Signs like </s> and the pieces of single bytes match no text.
    if (processor.IsControl(id) || processor.IsUnknown(id) || processor.IsByte(id)) continue;
    const std::string piece = with_spaces(processor.IdToPiece(id));
    for (std::size_t i = 1; i < piece.size(); ++i) joined_.set(pair(piece[i - 1], piece[i]));
  }
}

// SentencePiece's own sign for a space is taken for one, whatever stands beside it.
bool PieceCutter::cuts(std::string_view text) const {
  return cuts_ && text.find(kSpaceSign) == std::string_view::npos;
}

std::size_t PieceCutter::first_part(std::string_view text) const {
  std::size_t end = 1;
  while (end < text.size() &&
         (is_continuation(text[end]) || joined_.test(pair(text[end - 1], text[end])))) {
    ++end;
  }
  return end;
}

}  // namespace scalelaw
