#include "trainer/escaped.h"

#include <gtest/gtest.h>

#include <string>

#include "trainer/utf8.h"

namespace scalelaw {
namespace {

TEST(Escaped, WhatATerminalObeysIsShownAsText) {
  EXPECT_EQ(escaped("a\nb\tc\x1b[2J\x7f\r"), "a\\nb\\tc\\x1b[2J\\x7f\\r");
  EXPECT_EQ(escaped(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(escaped("\xc2\x9b"
                    "31m"),
            "\\u009b31m")
      << "U+009B begins a command as ESC [ does";
  EXPECT_EQ(escaped("\xe2\x80\xae\xe2\x80\xa8"), "\\u202e\\u2028") << "turned around; a line end";
}

TEST(Escaped, LinesStayLines) {
  EXPECT_EQ(escaped_lines("a\n\tb\x1b\n\xe2\x80\xae"), "a\n\tb\\x1b\n\\u202e");
  EXPECT_EQ(escaped_lines(""), "");
}

TEST(Escaped, BytesThatAreNotUtf8AreShown) {
  EXPECT_EQ(escaped("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(escaped("\x9b\x9b z \xff"), "\\x9b\\x9b z \\xff");
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(Escaped, TextStaysAsItIs) {
  for (const std::string& text : {std::string("it's \"quoted\" \\n $(x) `y`"),
                                  std::string("Grüße, 東京, \xc2\xa0 🎉"), std::string()}) {
    EXPECT_EQ(escaped(text), text);
  }
  EXPECT_EQ(escaped(escaped("a\nb\xff")), escaped("a\nb\xff"));
}

TEST(Escaped, ExcerptIsShortAndCutBetweenCharacters) {
  EXPECT_EQ(excerpt("short\n"), "short\\n");
  EXPECT_EQ(excerpt(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(excerpt(std::string(201, 'x')), std::string(200, 'x') + "...");
  std::string text = "x";
  for (int i = 0; i < 1000; ++i) text += "東";
  const std::string start = excerpt(text);
  EXPECT_TRUE(start.ends_with("東...")) << start;
  EXPECT_EQ(first_invalid_utf8(start), start.size());
  EXPECT_EQ(start.find('\\'), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
