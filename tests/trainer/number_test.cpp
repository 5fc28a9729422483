#include "trainer/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "trainer/bytes_text.h"

namespace scalelaw {
namespace {

TEST(Number, ReadsDecimalAndBinarySuffixesAndPercent) {
  EXPECT_EQ(parse_real("0.5"), 0.5);
  EXPECT_EQ(parse_real(".5"), 0.5);
  EXPECT_EQ(parse_real("-3"), -3.0);
  EXPECT_EQ(parse_real("1e9"), 1e9);
  EXPECT_EQ(parse_real("1e-8"), 1e-8);
  EXPECT_EQ(parse_real("1e+300"), 1e300);
  EXPECT_EQ(parse_real("160k"), 160e3);
  EXPECT_EQ(parse_real("20M"), 20e6);
  EXPECT_EQ(parse_real("1.5G"), 1.5e9);
  EXPECT_EQ(parse_real("1.5B"), 1.5e9);
  EXPECT_EQ(parse_real("2T"), 2e12);
  EXPECT_EQ(parse_real("3P"), 3e15);
  EXPECT_EQ(parse_real("2Ki"), 2048.0);
  EXPECT_EQ(parse_real("2Mi"), 2097152.0);
  EXPECT_EQ(parse_real("0.5Gi"), 536870912.0);
  EXPECT_EQ(parse_real("1Ti"), 1099511627776.0);
  EXPECT_EQ(parse_real("2%"), 0.02);
}

TEST(Number, SuffixesAreExact) {
  // 1.1 * 1e6 and 0.57 * 1e9 are not whole in floating point.
  EXPECT_EQ(parse_whole("1.1M"), 1'100'000);
  EXPECT_EQ(parse_whole("0.57G"), 570'000'000);
  EXPECT_EQ(parse_whole("4.35k"), 4350);
  EXPECT_EQ(parse_real("7%"), 0.07);
}

TEST(Number, LeadingZerosAreNotOctal) {
  EXPECT_EQ(parse_whole("010"), 10);
}

TEST(Number, RefusesAllElse) {
  for (const char* text : {"",        " ",   "1 ",     " 1",    "1,000",
                           "1_000",   "abc", "1x",     "--1",   "+1",
                           "1e",      "e5",  "1e5.5",  "M",     "%",
                           "Mi",      "1K",  "1MM",    "1Pi",   "0x10",
                           "inf",     "nan", "-inf",   "1e999", "1e99999999999",
                           "1.2.3",   "1-2", "1e400k", "1i",    "2 M",
                           "\xc2\xb2"}) {
    EXPECT_EQ(parse_real(text), std::nullopt) << text;
    EXPECT_EQ(parse_whole(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_real(std::string(5000, '9')), std::nullopt);
}

TEST(Number, WholeMeansWholeAndExact) {
  EXPECT_EQ(parse_whole("2.5"), std::nullopt);
  EXPECT_EQ(parse_whole("2.5k"), 2500);
  EXPECT_EQ(parse_whole("-7"), -7);
  EXPECT_EQ(parse_whole("200%"), std::nullopt);
  EXPECT_EQ(parse_whole("9007199254740991"), 9007199254740991);
  EXPECT_EQ(parse_whole("9007199254740992"), std::nullopt);  // 2^53
  EXPECT_EQ(parse_whole("1e300"), std::nullopt);
}

TEST(Number, WhatIsTooLargeIsToldFromWhatIsNoNumber) {
  for (const char* text : {"9007199254740992", "9e18", "1e30", "1e300", "1e999", "1e99999999999",
                           "10P", "9000Ti", "1e400k"}) {
    EXPECT_EQ(whole_limit_exceeded(text), "too large; at most 9007199254740991 (2^53 - 1)") << text;
  }
  EXPECT_NE(whole_limit_exceeded(std::string(5000, '9')), "");
  for (const char* text : {"1e309", "1e999", "1e99999999999", "1e308k", "1e400k"}) {
    EXPECT_EQ(real_limit_exceeded(text), "too large; at most 1.8e308") << text;
  }
  for (const char* text : {"", "abc", "inf", "nan", "1.2.3", "1e-999", "1e-99999999999", "1e5.5",
                           "9007199254740991", "-1", "0.5", "200%", "0"}) {
    EXPECT_EQ(whole_limit_exceeded(text), "") << text;
    EXPECT_EQ(real_limit_exceeded(text), "") << text;
  }
}

TEST(Number, ReadsDurationsInSeconds) {
  EXPECT_EQ(parse_duration("90"), 90.0);
  EXPECT_EQ(parse_duration("90s"), 90.0);
  EXPECT_EQ(parse_duration("15m"), 900.0);
  EXPECT_EQ(parse_duration("8h"), 28800.0);
  EXPECT_EQ(parse_duration("0.5d"), 43200.0);
  for (const char* text : {"", "h", "8hh", "-1s", "8 h", "1h30m", "5k", "5%", "1M"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Number, ReadsBytes) {
  EXPECT_EQ(parse_bytes("200GB"), 200'000'000'000);
  EXPECT_EQ(parse_bytes("2GiB"), int64_t{2} << 30);
  EXPECT_EQ(parse_bytes("4096"), 4096);
  EXPECT_EQ(parse_bytes("4096B"), 4096);
  EXPECT_EQ(parse_bytes("1.5kB"), 1500);
  for (const char* text : {"", "B", "1BB", "-1", "0.5", "5%", "GB"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(Number, CanonicalReadsBackTheSame) {
  EXPECT_EQ(canonical(0.0), "0");
  EXPECT_EQ(canonical(-0.0), "0");
  EXPECT_EQ(canonical(2'500'000), "2500000");
  EXPECT_EQ(canonical(1e15), "1000000000000000");
  EXPECT_EQ(canonical(0.02), "0.02");
  EXPECT_EQ(canonical(1e-8), "1e-8");
  EXPECT_EQ(canonical(1.79e-10), "1.79e-10");
  EXPECT_EQ(canonical(1e300), "1e300");
  EXPECT_EQ(canonical(-0.5), "-0.5");
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-300, 300), mantissa(-10, 10);
  for (int i = 0; i < 20000; ++i) {
    const double value = mantissa(random) * std::pow(10.0, exponent(random));
    EXPECT_EQ(parse_real(canonical(value)), value) << canonical(value);
  }
}

TEST(Number, HumanKeepsThreeDigits) {
  EXPECT_EQ(human(0), "0");
  EXPECT_EQ(human(1), "1");
  EXPECT_EQ(human(999), "999");
  EXPECT_EQ(human(2500), "2.5k");
  EXPECT_EQ(human(160000), "160k");
  EXPECT_EQ(human(1.2345e6), "1.23M");
  EXPECT_EQ(human(999'960), "1M");  // rounded before the suffix is chosen
  EXPECT_EQ(human(7e9), "7B");
  EXPECT_EQ(human(3.1e15), "3.1e15");
  EXPECT_EQ(human(1e12), "1e12");
  EXPECT_EQ(human(0.01234), "0.0123");
  EXPECT_EQ(human(0.00001234), "1.23e-5");
  EXPECT_EQ(human(-2500), "-2.5k");
  EXPECT_EQ(human(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(human(std::nan("")), "nan");
}

TEST(BytesText, NamesBytesInLettersThatNoNumberHas) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(3.2849e9), "3.28 GB");
  EXPECT_EQ(bytes_text(999'900), "1 MB");
  EXPECT_EQ(bytes_text(2e12), "2 TB");
}

}  // namespace
}  // namespace scalelaw
