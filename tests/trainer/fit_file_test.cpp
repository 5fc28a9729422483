#include "trainer/fit_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

FitFile example() {
  FittedLaw n_opt{.quantity = FittedQuantity::kNOpt,
                  .variable = FitVariable::kCompute,
                  .coefficient = 1.0 / 3,
                  .exponent = .5,
                  .n_count = NCount::kNonEmbedding,
                  .c_count = CCount::kSixN,
                  .low = 1e12,
                  .high = 1e14,
                  .n_range = FitRange{1e5, 1e8},
                  .d_range = FitRange{2e6, 3e9},
                  .exponent_standard_error = .02,
                  .interval = FitInterval{.95, 1e13, .1, .05},
                  .from = {"ladder",
                           "chinchilla",
                           "2026-01-31T12:00:00Z",
                           {std::string(32, '1'), std::string(32, '2')}}};
  FittedLaw batch = {.quantity = FittedQuantity::kCriticalBatch,
                     .variable = FitVariable::kTokens,
                     .coefficient = 12,
                     .exponent = .4,
                     .low = 1e6,
                     .high = 1e9,
                     .from = {"a paper", "B = 12 D^0.4", "2026-01-31T12:00:00Z", {}}};
  return {.laws = {n_opt, batch}};
}

std::string fault_with(const std::string& what, const std::string& by) {
  std::string content = to_json(example());
  const std::size_t place = content.find(what);
  EXPECT_NE(place, std::string::npos) << what;
  try {
    fit_file_from_json(content.replace(place, what.size(), by));
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(FitFile, ReadsBackWhatWasWritten) {
  const TempDir temp;
  write_fit_file(temp.path() / "fit.json", example());
  const FitFile read = fit_file_from_json(read_whole_file(temp.path() / "fit.json"));
  EXPECT_EQ(read, example());
  EXPECT_EQ(read.find(FittedQuantity::kCriticalBatch), &read.laws[1]);
  EXPECT_NEAR(read.laws[0].at(1e12), 1e6 / 3, 1e-4);
  EXPECT_TRUE(read.laws[0].holds(1e13));
  EXPECT_FALSE(read.laws[0].holds(1e15));
}

TEST(FitFile, AnIntervalIsNarrowestAtItsCentre) {
  const FittedLaw law = example().laws[0];
  const FitRange centre = *law.interval_at(1e13), away = *law.interval_at(1e14);
  EXPECT_NEAR(centre.high / law.at(1e13), std::exp(.1), 1e-12);
  EXPECT_NEAR(law.at(1e13) / centre.low, std::exp(.1), 1e-12);
  EXPECT_NEAR(away.high / law.at(1e14), std::exp(std::hypot(.1, .05 * std::log(10))), 1e-12);
  EXPECT_FALSE(example().laws[1].interval_at(1e8));
}

TEST(FitFile, KeysThatAreMissingAreNamedAtOnce) {
  EXPECT_EQ(fault_with("\"high\": 1000000000.0,", "\"top\": 1,"), "laws.1.high is missing");
  EXPECT_EQ(fault_with("\"fitted_at\": \"2026-01-31T12:00:00Z\"\n", "\"at\": 1\n"),
            "laws.1.from.fitted_at is missing");
  try {
    fit_file_from_json(
        "{\"version\": 1, \"laws\": [{\"quantity\": \"critical_batch\", "
        "\"variable\": \"N\"}]}");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "laws.0.coefficient is missing, and so are exponent, low, high, from.source, "
                 "from.law, from.fitted_at, n_count");
  }
}

TEST(FitFile, ValuesOfNoModelAndNoTextAreRefused) {
  EXPECT_EQ(fault_with("\"low\": 1000000000000.0", "\"low\": 1e-5"),
            "laws.0.low must be from 1 to 1e40, for a C; is 1e-5");
  EXPECT_EQ(fault_with("\"exponent\": 0.5", "\"exponent\": 0.9999"),
            "laws.0.exponent and coefficient leave less than a token at low: n_opt is 332B");
  EXPECT_EQ(fault_with("\"exponent\": 0.4", "\"exponent\": -0.4"),
            "laws.1.exponent and coefficient give critical_batch 0.0478 at low, and it is from 1 "
            "to 1e18");
  EXPECT_EQ(fault_with("\"level\": 0.95", "\"level\": 95"),
            "laws.0.interval.level must be below 1");
}

TEST(FitFile, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(fault_with("\"version\": 1", "\"version\": 2"),
            "is of version 2 of fits; this program knows version 1");
  EXPECT_EQ(fault_with("\"n_opt\"", "\"n_best\""),
            "laws.0.quantity must be n_opt or critical_batch");
  EXPECT_EQ(fault_with("\"variable\": \"C\"", "\"variable\": \"D\""),
            "laws.0.variable must be C: n_opt is of a budget");
  EXPECT_EQ(fault_with("\"variable\": \"D\"", "\"variable\": \"C\""),
            "laws.1.variable must be D, N or L: critical_batch is of one of them");
  EXPECT_EQ(fault_with("\"six_n\"", "\"seven_n\""), "laws.0.c_count must be a convention of C");
  EXPECT_EQ(fault_with("\"n_count\"", "\"m_count\""), "laws.0.n_count is missing");
  EXPECT_EQ(fault_with("\"variable\": \"D\"", "\"variable\": \"N\""), "laws.1.n_count is missing")
      << "of an N it must say which";
  EXPECT_EQ(fault_with("\"low\": 1000000000000.0", "\"low\": 1e15"),
            "laws.0.low must not be above high");
  EXPECT_EQ(fault_with("\"exponent\": 0.5", "\"exponent\": 500"),
            "laws.0.exponent and coefficient give n_opt inf at low, and it is from 1 to 1e18");
  EXPECT_EQ(fault_with("\"critical_batch\",\n   \"variable\": \"D\"",
                       "\"n_opt\", \"variable\": \"C\", \"n_count\": \"total\", \"c_count\": "
                       "\"chinchilla\""),
            "laws.1.quantity stands there twice");
  EXPECT_NE(fault_with("2026-01-31T12", "yesterday").find("laws.0.from.fitted_at must be a time"),
            std::string::npos);
  EXPECT_NE(fault_with("\"exponent_standard_error\": 0.02", "\"exponent_standard_error\": 0")
                .find("laws.0.exponent_standard_error must be above 0"),
            std::string::npos);
}

}  // namespace
}  // namespace scalelaw
