#include "trainer/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace scalelaw {
namespace {

TEST(Utf8, WellFormedTextHasNoInvalidByte) {
  for (const std::string& text :
       {std::string(), std::string("plain ascii, long enough for words of eight"),
        std::string("Grüße, naïve, 東京, 🎉👩‍👩‍👧"), std::string("a\0b", 3),
        std::string("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF")}) {
    EXPECT_EQ(first_invalid_utf8(text), text.size()) << text;
  }
}

TEST(Utf8, FirstInvalidByteIsFound) {
  for (const std::string& bad :
       {std::string("\xFF"), std::string("\x80"), std::string("\xC0\xAF"), std::string("\xC3"),
        std::string("\xE0\x80\x80"), std::string("\xED\xA0\x80"), std::string("\xE2\x82"),
        std::string("\xF4\x90\x80\x80"), std::string("\xF5\x80\x80\x80"), std::string("\xC3(")}) {
    EXPECT_EQ(first_invalid_utf8("twelve bytes" + bad + " and more text"), 12u);
    EXPECT_EQ(first_invalid_utf8("twelve bytes" + bad), 12u);
  }
}

TEST(CutAtLineEnds, PartsAreWholeAndFit) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "line " + std::to_string(i) + std::string(i % 37, 'x') + "\n";
  for (const std::size_t limit : {4u, 10u, 50u, 1000u, 100000u}) {
    std::string joined;
    for (const std::string_view part : cut_at_line_ends(text, limit)) {
      EXPECT_LE(part.size(), limit);
      EXPECT_FALSE(part.empty());
      joined += part;
    }
    EXPECT_EQ(joined, text);
  }
  for (const std::string_view part : cut_at_line_ends(text, 60)) EXPECT_EQ(part.back(), '\n');
  EXPECT_TRUE(cut_at_line_ends("", 10).empty());
}

TEST(CutAtLineEnds, CharactersAreNotTornApart) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "aé東🎉";
  for (std::size_t limit = 4; limit < 20; ++limit) {
    std::string joined;
    for (const std::string_view part : cut_at_line_ends(text, limit)) {
      EXPECT_EQ(first_invalid_utf8(part), part.size());
      joined += part;
    }
    EXPECT_EQ(joined, text);
  }
}

}  // namespace
}  // namespace scalelaw
