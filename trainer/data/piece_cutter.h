// Where a text may be cut so that its parts, encoded one by one, give the tokens of the whole.
//
// Byte-pair encoding merges neighbours by rank. Between two bytes that stand side by side in no
// piece of the vocabulary nothing ever merges, so the two sides never meet: most words and marks of
// a text are such parts, come again and again, and need to be encoded once.
#pragma once

#include <bitset>
#include <cstddef>
#include <string_view>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace scalelaw {

class PieceCutter {
 public:
  // `model` is what `processor` was loaded from. Models for which parts would not do (unigram's
  // sums depend on the whole text; a normaliser or a dummy prefix sees the start; runs of unknown
  // characters become one) are never cut.
  PieceCutter(const sentencepiece::SentencePieceProcessor& processor, std::string_view model);

  // Whether this text, which is UTF-8, may be cut at all.
  bool cuts(std::string_view text) const;
  // Bytes of the first part of a text that may; not empty.
  std::size_t first_part(std::string_view text) const;

 private:
  static std::size_t pair(char left, char right) {
    return std::size_t{static_cast<unsigned char>(left)} * 256 + static_cast<unsigned char>(right);
  }

  bool cuts_ = false;
  std::bitset<std::size_t{256} * 256> joined_;  // bytes side by side in some piece, or a character
};

}  // namespace scalelaw
