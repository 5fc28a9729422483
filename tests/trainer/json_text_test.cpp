#include "trainer/json_text.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace scalelaw {
namespace {

std::string fault_of(const std::string& text) {
  try {
    parse_json(text);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::string nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}

TEST(JsonText, FaultsAreSaidInAFewWords) {
  EXPECT_EQ(fault_of(" \n"), "empty");
  EXPECT_EQ(fault_of("{\"a\":"), "cut short after 5 bytes");
  EXPECT_EQ(fault_of("{\"a\": b}"), "no JSON from byte 7 on");
  EXPECT_EQ(fault_of("{\"a\": 1e999}"), "a number is too large");
  EXPECT_EQ(fault_of("[\"\xff\"]"), "no JSON from byte 3 on");
}

TEST(JsonText, DepthIsLimited) {
  EXPECT_EQ(parse_json(nested(kMaxJsonDepth)).size(), 1u);
  EXPECT_EQ(fault_of(nested(kMaxJsonDepth + 1)), "nested deeper than 64 levels");
  // A parser that went down by recursion would be out of stack.
  EXPECT_EQ(fault_of(std::string(2'000'000, '[')), "nested deeper than 64 levels");
  std::string objects;
  for (int level = 0; level < 100'000; ++level) objects += "{\"a\":";
  EXPECT_EQ(fault_of(objects), "nested deeper than 64 levels");
}

TEST(JsonText, BracketsInTextAreNoDepth) {
  const std::string brackets(200, '[');
  EXPECT_EQ(parse_json("[\"" + brackets + "\\\"" + brackets + "\", \"\\\\\", []]").size(), 3u);
  EXPECT_EQ(fault_of("[\"\\\\\", " + nested(kMaxJsonDepth)), "nested deeper than 64 levels");
}

// With a callback the parser takes eight seconds for these.
TEST(JsonText, ManyElementsTakeLinearTime) {
  std::string list = "[{}";
  for (int i = 0; i < 200'000; ++i) list += ",{}";
  EXPECT_EQ(parse_json(list + "]").size(), 200'001u);
}

TEST(JsonText, WholeNumbersAreNeitherCutNorWrapped) {
  EXPECT_EQ(whole_number(parse_json("-7")), -7);
  EXPECT_EQ(whole_number(parse_json("9223372036854775807")), INT64_MAX);
  EXPECT_EQ(whole_number(parse_json("255"), 0, 255), 255);
  for (const char* text : {"1.0", "1e300", "9223372036854775808", "18446744073709551615", "true",
                           "null", "\"1\"", "[1]"}) {
    EXPECT_THROW(whole_number(parse_json(text)), std::runtime_error) << text;
  }
  EXPECT_THROW(whole_number(parse_json("256"), 0, 255), std::runtime_error);
  EXPECT_THROW(whole_number(parse_json("-1"), 0, 255), std::runtime_error);
}

TEST(JsonText, OnlyObjectsAreObjects) {
  EXPECT_EQ(parse_json_object("{}").size(), 0u);
  EXPECT_THROW(parse_json_object("[]"), std::runtime_error);
  EXPECT_THROW(parse_json_object("null"), std::runtime_error);
}

}  // namespace
}  // namespace scalelaw
