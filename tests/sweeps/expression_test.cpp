#include "sweeps/language/expression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <random>

namespace scalelaw {
namespace {

double value(const std::string& text) {
  return Expression(text).value([](const Expression::Name& name) {
    return name.name == "N" ? 1e6 : name.name == "D" ? 2e7 : 128.0;
  });
}

TEST(Expression, IsArithmeticAsPeopleWriteIt) {
  EXPECT_DOUBLE_EQ(value(" 1.79 * N^-0.713 * D^0.307"),
                   1.79 * std::pow(1e6, -0.713) * std::pow(2e7, 0.307));
  EXPECT_DOUBLE_EQ(value("2^rint(log2(0.58 * D^0.571))"), 8192);
  EXPECT_DOUBLE_EQ(value("-2^2"), -4);
  EXPECT_DOUBLE_EQ(value("2^3^2"), 512);
  EXPECT_DOUBLE_EQ(value("N <= 1e6 && D > 2M ? 1 : 2"), 1);
  EXPECT_DOUBLE_EQ(value("N > 2M ? 1 : D > 2M ? max(2, N > 3 ? 4 : 5) : 6"), 4);
  EXPECT_DOUBLE_EQ(value("N > 1 ? D > 1G ? 4 : 5 : 6"), 5);
  EXPECT_DOUBLE_EQ(value("model.n_ctx * 3 - n_ctx/4"), 352);
  EXPECT_DOUBLE_EQ(value("min(3, 1, 2) + max(4, 5) + clamp(9, 0, 7)"), 13);
  EXPECT_DOUBLE_EQ(value("ln(exp(2)) + log10(100) + sqrt(9) + cbrt(8) + abs(-1) + floor(1.9)"
                         " + ceil(1.1)"),
                   2 + 2 + 3 + 2 + 1 + 1 + 2);
}

TEST(Expression, BlanksMayStandAnywhereBetweenItsParts) {
  EXPECT_DOUBLE_EQ(value("max (1 ,\t2) +min\t ( 3,4 )* rint  (1.2)"), 5);
  EXPECT_DOUBLE_EQ(value(" ( N )>1?\t2:3 "), 2);
}

TEST(Expression, RoundsToAMultipleOfAtLeastOne) {
  EXPECT_DOUBLE_EQ(value("round_to(1000, 128)"), 1024);
  EXPECT_DOUBLE_EQ(value("round_to(3, n_ctx)"), 128);
}

TEST(Expression, ReadsNumbersAsTheFileDoes) {
  EXPECT_DOUBLE_EQ(value("2.5M + 2Mi + 10% + 1e3 + .5"), 2.5e6 + 2097152 + 0.1 + 1000 + 0.5);
}

TEST(Expression, NamesAreThoseItNeedsEachOnceInItsOrder) {
  const Expression expression("rint(D / train.batch_tokens) + N - D");
  ASSERT_EQ(expression.names().size(), 3u);
  EXPECT_EQ(expression.names()[0].name, "D");
  EXPECT_EQ(expression.names()[1].name, "train.batch_tokens");
  EXPECT_EQ(expression.names()[1].position, 9u);
  EXPECT_EQ(expression.names()[2].name, "N");
}

struct Fault {
  std::string text;
  std::size_t position;
  std::string what;
};

TEST(Expression, EveryFaultPointsAtItsCharacter) {
  const std::vector<Fault> faults = {
      {"", 0, "there is nothing behind the ="},
      {"  ", 0, "there is nothing behind the ="},
      {"1 +", 3, "it ends too early"},
      {"1 + )", 4, "unexpected )"},
      {"(1 + 2", 6, "a ) is missing (within { } and [ ] an expression with a comma is quoted)"},
      {"1 2", 2, "unexpected 2"},
      {"N D", 2, "unexpected D"},
      {"N @ 2", 2, "unexpected @"},
      {"1 + * 2", 4, "unexpected *"},
      {"5(3)", 1, "unexpected ("},
      {"1 + foo(2)", 4, "there is no function foo"},
      {"1 + N(2)", 4, "there is no function N"},
      {"2 * log (D)", 4, "log is two things to people: write ln, log2 or log10"},
      {"2 * rint", 4, "rint is a function and needs its ( )"},
      {"rint(1, 2)", 9, "too many arguments of rint"},
      {"1 + rint()", 9, "too few arguments of rint"},
      {"round_to(1)", 10, "too few arguments of round_to"},
      {"min()", 4, "too few arguments of min"},
      {"1 + max( )", 9, "too few arguments of max"},
      {"1, 2", 1, "unexpected ,"},
      {"N = 3", 2, "= assigns nothing here; == compares"},
      {"\"x\"", 0, "there are no texts here"},
      {"N ? 2", 2, "the ? has no :"},
      {"1 : 2", 2, "unexpected :"},
      {"? 1 : 2", 0, "unexpected ?"},
      {"N ?? 1 : 2", 3, "unexpected ?"},
      {"N ? : 2", 4, "unexpected :"},
      {"N ? 1 :: 2", 7, "unexpected :"},
      {"N ? 1 : 2 : 3", 10, "unexpected :"},
      {"N ? 1 : ", 8, "it ends too early"},
      {"N ? 1 : 2 ? 3", 10, "the ? has no :"},
      {"N > 1 ? D > 3 ? 4 : 5", 6, "the ? has no :"},
      {"(N ? 1) : 2", 3, "the ? has no :"},
      {"N > 1 ? (D > 3 ? 4) : 5", 15, "the ? has no :"},
      {"N ? (1 : 2)", 7, "unexpected :"},
      {"max(N ? 1, 2)", 6, "the ? has no :"},
      {"max(1, N ? 2, 3)", 9, "the ? has no :"},
      {"max(1, 2 ? 3)", 9, "the ? has no :"},
      {"max(1, 2 : 3)", 9, "unexpected :"},
      {"max(N ? 1 : 2, 3 : 4)", 17, "unexpected :"},
      {"(1, 2)", 2, "unexpected ,"},
      {"(N) , D", 4, "unexpected ,"},
      {"max((1, 2), 3)", 6, "unexpected ,"},
      {"N ? (1, 2) : 3", 6, "unexpected ,"},
      {"max(1,, 2)", 6, "unexpected ,"},
      {"max(1,)", 6, "unexpected )"},
      {"1 2 ? 3", 2, "unexpected 2"},
      {"N ? 1 : 2 3 : 4", 10, "unexpected 3"},
      {"1 + 2.5X", 4, "2.5X is no number"},
      {"0x10", 0, "0x10 is no number"},
      {"1 + 1.2.3", 4, "1.2.3 is no number"},
      {"1 + 1e", 4, "1e is no number"},
      {"3 % 2", 2, "unexpected %"},
      {"1 + \xc3\xa9", 4, "unexpected \xc3\xa9"},
      {"1\n+2", 1, "a control character"},
      {std::string(1001, '1'), 1000, "longer than 1000 bytes"},
  };
  for (const Fault& fault : faults) {
    try {
      const Expression expression(fault.text);
      ADD_FAILURE() << fault.text << " was read";
    } catch (const ExpressionFault& found) {
      EXPECT_EQ(found.what(), fault.what) << fault.text;
      EXPECT_EQ(found.position(), fault.position) << fault.text;
    }
  }
}

TEST(Expression, AStrangeCharacterAnywhereIsPointedAt) {
  const std::string good = "2^rint(log2(0.58 * D^0.571)) + max(N, 3) - (n_ctx < 5 ? 1 : 2)";
  for (std::size_t at = 0; at <= good.size(); ++at) {
    for (const char strange : {'@', '$', '\'', '{', '\x01'}) {
      std::string text = good;
      text.insert(at, 1, strange);
      try {
        const Expression expression(text);
        ADD_FAILURE() << text << " was read";
      } catch (const ExpressionFault& fault) {
        EXPECT_EQ(fault.position(), at) << text << ": " << fault.what();
      }
    }
  }
}

TEST(Expression, WhateverIsWrittenIsReadOrPointedInto) {
  std::mt19937 random(11);
  const std::vector<std::string> words = {"N",   "D",  "1",   "2.5M", "+",    "-",   "*",  "/",
                                          "^",   "(",  ")",   ",",    "rint", "max", "?",  ":",
                                          "log", "==", "n_x", "<",    "&&",   "=",   "\"", " "};
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t n = random() % 9; n > 0; --n) text += words[random() % words.size()];
    try {
      const Expression expression(text);
      ++read;
      (void)expression.value([](const Expression::Name&) { return 2.0; });
    } catch (const ExpressionFault& fault) {
      EXPECT_LE(fault.position(), text.size()) << text;
      EXPECT_FALSE(std::string(fault.what()).empty());
    }
  }
  EXPECT_GT(read, 500);
}

TEST(Expression, AResultThatIsNoFiniteNumberPointsAtThePartThatIsNone) {
  const std::vector<Fault> faults = {
      {" ln(N - 1M)", 1, "ln(N - 1M) is no finite number, with N = 1000000"},
      {" 1/0", 2, "divides by 0"},
      {"2 + 3 / (N - 1e6)", 6, "divides by 0, with N = 1000000"},
      {"0.01 + 0.01*sqrt(3-N)", 12, "sqrt(3-N) is no finite number, with N = 1000000"},
      {"1 + (2 - 10)^0.5", 12, "(2 - 10)^0.5 is no finite number"},
      {"sqrt(1 + ln(-1))", 9, "ln(-1) is no finite number"},
      {"1 + log10 (0) * 2", 4, "log10 (0) is no finite number"},
      {"N > 1 ? 1/0 : ln(0)", 9, "divides by 0, with N = 1000000"},
      {"N < 1 ? 1/0 : ln(0)", 14, "ln(0) is no finite number, with N = 1000000"},
      {"1/0 + ln(0)", 1, "divides by 0"},
      {"1/0^-1 + 1/ -0", 10, "divides by 0"},
      {"exp(700) * exp(700)", 0, "comes to no finite number"},
      {"  10^300 * 10^300", 2, "comes to no finite number"},
      {"2 * 10^300^2", 6, "10^300^2 is no finite number"},
  };
  for (const Fault& fault : faults) {
    try {
      value(fault.text);
      ADD_FAILURE() << fault.text;
    } catch (const ExpressionFault& found) {
      EXPECT_EQ(found.what(), fault.what) << fault.text;
      EXPECT_EQ(found.position(), fault.position) << fault.text;
    }
  }
}

TEST(Expression, PlacesAreToldFromOne) {
  EXPECT_EQ(at_character("1 + * 2", 4), "character 5");
  EXPECT_EQ(at_character("1 +", 3), "its end");
}

}  // namespace
}  // namespace scalelaw
