#include "trainer/data/tokenizer.h"

#include <gtest/gtest.h>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

// Indented lines of words, enough to learn pieces from.
std::vector<std::string> lines_of_code() {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i * 37 % 101);
    texts.push_back("def function_" + n + "(self, value):\n    if value > " + n +
                    ":\n        return self.value + value  # über " + n + "\n    return None\n\n");
  }
  return texts;
}

std::string train(PieceModel kind, int64_t n_vocab = 300) {
  const auto texts = lines_of_code();
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return train_sentencepiece(kind, n_vocab, views);
}

const char* const kOddTexts[] = {"",
                                 " ",
                                 "   ",
                                 "\n",
                                 "\t",
                                 "\t\t tab\t",
                                 "a\n\n\n b",
                                 "  leading and trailing   ",
                                 "\r\n",
                                 "🎉👩‍👩‍👧 é 東京",
                                 "</s> <s> <unk> <0x41>",
                                 "if x:\n        return    y\n",
                                 "\u00A0",
                                 "ﬁ ½ Ａ e\u0301"};

std::string put_together(const Tokenizer& tokenizer, const std::vector<uint32_t>& tokens) {
  std::string text;
  for (const uint32_t token : tokens) text += tokenizer.text_of(token);
  return text;
}

TEST(Tokenizer, BytesGiveEveryTextBack) {
  const Tokenizer tokenizer = Tokenizer::bytes();
  EXPECT_EQ(tokenizer.n_vocab(), 257);
  EXPECT_EQ(tokenizer.end_of_document(), 256u);
  for (const std::string text : kOddTexts) {
    const auto tokens = tokenizer.encode(text);
    EXPECT_EQ(tokens.size(), text.size());
    EXPECT_EQ(tokenizer.decode(tokens), text);
    EXPECT_EQ(put_together(tokenizer, tokens), text);
  }
}

TEST(Tokenizer, SentencePieceGivesOddTextBack) {
  for (const PieceModel kind : {PieceModel::kBpe, PieceModel::kUnigram}) {
    const Tokenizer tokenizer = Tokenizer::sentencepiece(train(kind), "bpe:300");
    EXPECT_EQ(tokenizer.n_vocab(), 300);
    for (const std::string text : kOddTexts) {
      auto tokens = tokenizer.encode(text);
      for (const uint32_t token : tokens) {
        EXPECT_LT(token, 300u);
        EXPECT_NE(token, tokenizer.end_of_document()) << text;
        EXPECT_NE(token, tokenizer.unknown()) << text;
      }
      tokens.push_back(tokenizer.end_of_document());
      EXPECT_EQ(tokenizer.decode(tokens), text);
      EXPECT_EQ(put_together(tokenizer, tokens), text);
    }
    const std::string with_null("a\0b", 3);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(with_null)), with_null);
  }
}

TEST(Tokenizer, RunsOfSpacesArePieces) {
  const Tokenizer tokenizer = Tokenizer::sentencepiece(train(PieceModel::kBpe, 340), "bpe:340");
  EXPECT_LE(tokenizer.encode("        ").size(), 2u);
}

TEST(Tokenizer, SameTextsTrainTheSameModel) {
  for (const PieceModel kind : {PieceModel::kBpe, PieceModel::kUnigram}) {
    EXPECT_EQ(train(kind), train(kind));
  }
}

TEST(Tokenizer, ModelThatIsNoneIsRefused) {
  EXPECT_THROW(Tokenizer::sentencepiece("", "m"), ConfigError);
  EXPECT_THROW(Tokenizer::sentencepiece("not a model", "m"), ConfigError);
  // A piece that begins with a zero byte, of which SentencePiece throws.
  const std::string_view odd_piece(
      "\x0a\x0e\x0a\x05<unk>\x15\0\0\0\x5b\x18\x02"
      "\x0a\x0c\x0a\x0a\0\0\0\0\0\0\0\xf0\0x",
      30);
  EXPECT_THROW(Tokenizer::sentencepiece(std::string(odd_piece), "m"), ConfigError);
  const std::string model = train(PieceModel::kBpe);
  EXPECT_THROW(Tokenizer::sentencepiece(model.substr(0, model.size() / 2), "m"), ConfigError);
}

TEST(Tokenizer, VocabularyThatTheTextCannotCarryIsTheUsersToMend) {
  const std::vector<std::string_view> views = {"a b c\n"};
  EXPECT_THROW(train_sentencepiece(PieceModel::kBpe, 5000, views), ConfigError);
  EXPECT_THROW(train_sentencepiece(PieceModel::kUnigram, 5000, views), ConfigError);
}

}  // namespace
}  // namespace scalelaw
