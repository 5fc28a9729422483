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
                  .exponent_standard_error = .02,
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
            "laws.0.exponent gives no number within low and high");
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
