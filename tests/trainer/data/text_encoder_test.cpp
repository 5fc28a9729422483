#include "trainer/data/text_encoder.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace scalelaw {
namespace {

std::vector<std::string> some_texts() {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i * 37 % 101);
    texts.push_back("def function_" + n + "(self, value):\n    if value > " + n +
                    ":\n        return self.value + value  # über " + n +
                    ", \"naïve\" – don't.\n\n    return None\n\n");
  }
  return texts;
}

Tokenizer trained(PieceModel kind, int64_t n_vocab) {
  const auto texts = some_texts();
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return Tokenizer::sentencepiece(train_sentencepiece(kind, n_vocab, views), "trained");
}

// Text of known and unknown characters, spaces, line ends, SentencePiece's own signs and a zero.
std::string random_text(std::mt19937& random) {
  static const std::array<std::string, 24> kParts = {
      " ", "  ",    "\n",   "\t",    "return", "value",  "self.",  "ü",
      "–", "don't", "7",    "101",   "\"",     ":",      "e",      "東京",
      "🎉", "\r\n",  "</s>", "<unk>", "<0x41>", "\u2581", "\u00A0", "#"};
  std::string text;
  for (uint32_t i = random() % 60; i > 0; --i) {
    const uint32_t part = random() % 25;
    text += part < kParts.size() ? kParts[part] : std::string(1, '\0');
  }
  return text;
}

TEST(TextEncoder, TokensAreThoseOfTheWholeText) {
  for (const int64_t n_vocab : {310, 360}) {
    const Tokenizer tokenizer = trained(PieceModel::kBpe, n_vocab);
    TextEncoder encoder(tokenizer);
    std::mt19937 random(1);
    for (int i = 0; i < 5000; ++i) {
      const std::string text = random_text(random);
      std::vector<uint32_t> tokens;
      encoder.encode(text, tokens);
      ASSERT_EQ(tokens, tokenizer.encode(text)) << text;
    }
  }
}

TEST(TextEncoder, BytePairsAreCutIntoPartsThatComeAgain) {
  const Tokenizer tokenizer = trained(PieceModel::kBpe, 360);
  ASSERT_NE(tokenizer.cutter(), nullptr);
  const std::string text = "return value\n";
  ASSERT_TRUE(tokenizer.cutter()->cuts(text));
  EXPECT_LT(tokenizer.cutter()->first_part(text), text.size());
  EXPECT_FALSE(tokenizer.cutter()->cuts("a\u2581b"));
}

TEST(TextEncoder, UnigramAndBytesAreNeverCut) {
  const Tokenizer tokenizer = trained(PieceModel::kUnigram, 310);
  EXPECT_FALSE(tokenizer.cutter()->cuts("return value\n"));
  EXPECT_EQ(Tokenizer::bytes().cutter(), nullptr);
  const Tokenizer bytes = Tokenizer::bytes();
  TextEncoder encoder(bytes);
  std::vector<uint32_t> tokens;
  encoder.encode("ab", tokens);
  EXPECT_EQ(tokens, (std::vector<uint32_t>{'a', 'b'}));
}

}  // namespace
}  // namespace scalelaw
