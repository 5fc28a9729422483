// Losses of two arms at equal N, and which of them is said to lead.
#include "analysis/equal_size.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/analysis/ladder.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

Comparison compare(const RunTable& table) {
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  return compare_all(table, laws, options).front();
}

// The remark on who leads.
std::string lead(const Comparison& c) {
  for (const std::string& remark : c.remarks) {
    const std::size_t at = remark.find("Of the ");
    if (at != std::string::npos) return remark.substr(at);
  }
  return "";
}

Comparison with_differences(const std::vector<EqualSizeDifference>& differences) {
  Comparison c;
  c.arm_a = "a";
  c.arm_b = "b";
  c.why = "of a reason";
  c.at_equal_n = differences;
  put_in_words(c, nullptr, ladder_options());
  return c;
}

EqualSizeDifference difference(double n, double ln_loss, std::optional<double> error) {
  return {n, false, ln_loss, error, 4, true};
}

TEST(EqualSizes, NearbySizesAreCorrectedAlongTheLocalSlope) {
  RunTable table;
  for (int i = 0; i < 8; ++i) {  // b's sizes are 2.5% above a's, on the same line
    const double n = std::rint(1e4 * std::pow(10.0, 3.0 * i / 7)), above = std::rint(1.025 * n);
    add_run(table, "a", n, 1 - .1 * std::log(n));
    add_run(table, "b", above, 1 - .1 * std::log(above));
  }
  const Comparison c = compare(table);
  ASSERT_EQ(c.at_equal_n.size(), 8u);  // the smallest lies just below b's range
  for (const EqualSizeDifference& d : c.at_equal_n) {
    EXPECT_TRUE(d.interpolated);
    EXPECT_NEAR(d.ln_loss_difference, 0, 1e-9);  // uncorrected it would be .0025
  }
}

TEST(EqualSizes, ARunOfBothArmsIsNoComparisonWithItself) {
  RunTable table;
  for (int i = 0; i < 8; ++i) {
    const double n = 1e3 * std::pow(2, i);
    add_run(table, "a", n, 1 - .1 * std::log(n) + 1e-3 * (i % 2));
    add_run(table, "b", n, 1.1 - .1 * std::log(n));
    if (i >= 4) table.rows.back().record = table.rows[table.rows.size() - 2].record;
  }
  const Comparison c = compare(table);
  ASSERT_EQ(c.at_equal_n.size(), 4u);
  EXPECT_EQ(c.at_equal_n.back().n, 8e3);
  EXPECT_EQ(
      lead(c).find("Of the 4 sizes that can be set side by side, a has the lower loss at every "
                   "one (N = 1k to 8k)"),
      0u)
      << lead(c);
  EXPECT_EQ(lead(c).find("b has"), std::string::npos);
}

TEST(EqualSizes, NoDifferenceIsNobodysLead) {
  const Comparison c =
      with_differences({difference(1e3, 0, std::nullopt), difference(1e4, 0, std::nullopt)});
  EXPECT_NE(lead(c).find("the arms are not told apart at any"), std::string::npos) << lead(c);
}

TEST(EqualSizes, ALeadExceedsWhatNoiseMayDo) {
  // t at 4 degrees of freedom is 2.78: the second size is 2.5 standard errors.
  const Comparison c = with_differences(
      {difference(1e3, -.03, .01), difference(1e4, -.025, .01), difference(1e5, .05, .01)});
  EXPECT_EQ(
      lead(c),
      "Of the 3 sizes that can be set side by side, a has the lower loss at 1 (N = 1k), b has "
      "the lower loss at 1 (N = 100k), the arms are not told apart at 1, by t at 95% and each "
      "size alone, if the noise between seeds is the same at all sizes.");
}

TEST(EqualSizes, LeadsThatInterleaveAreNotJoined) {
  const Comparison c = with_differences({difference(1e3, -.03, .01), difference(2e3, -.04, .01),
                                         difference(4e3, .05, .01), difference(8e3, -.03, .01),
                                         difference(16e3, .01, .01), difference(32e3, -.03, .01)});
  EXPECT_EQ(lead(c).find("Of the 6 sizes that can be set side by side, a has the lower loss at 4 "
                         "(N = 1k to 2k, 8k, 32k), b has the lower loss at 1 (N = 4k), the arms "
                         "are not told apart at 1, "),
            0u)
      << lead(c);
}

TEST(EqualSizes, ALeadWithoutTheTextsPartSaysSo) {
  EqualSizeDifference without = difference(1e3, -.03, .01);
  without.text_counted = false;
  EXPECT_NE(lead(with_differences({without})).find("at all sizes; the test text is not counted."),
            std::string::npos);
}

TEST(EqualSizes, WithoutKnownNoiseALeadIsOfSingleRuns) {
  const Comparison c =
      with_differences({difference(1e3, -.03, std::nullopt), difference(1e4, -.02, std::nullopt)});
  EXPECT_EQ(
      lead(c),
      "Of the 2 sizes that can be set side by side, a has the lower loss at every one (N = 1k "
      "to 10k): differences of single runs whose noise between seeds is not known.");
}

TEST(EqualSizes, AreSetSideBySideWhereThereAreNoLines) {
  RunTable table;
  for (const double n : {1e3, 1e4, 1e5}) add_run(table, "a", n, 1 - .1 * std::log(n));
  for (const double n : {1e3, 1e4}) add_run(table, "b", n, 1.1 - .1 * std::log(n));
  const Comparison c = compare(table);
  EXPECT_NE(c.status, FitStatus::kConverged);
  EXPECT_NE(lead(c).find("a has the lower loss at every one (N = 1k to 10k)"), std::string::npos);
}

struct PilotStudy {
  RunTable table;
  LawOptions options;
};
PilotStudy pilot_study() {
  const TempDir temp;
  PilotStudy study{read_runs({write_synthetic_sweep(temp.path(), "pilot", pilot_runs())}), {}};
  study.options.bootstrap_replicates = 0;
  select_runs(study.table, study.options.selection);
  return study;
}

TEST(PairedWindowsOfTheLargest, NeedTheSameWindowsOfTheSameText) {
  auto [table, options] = pilot_study();
  const std::vector<ArmLaws> laws = fit_arms(table, NCount::kNonEmbedding, options);
  const ArmLaws &a = laws[0], &b = laws[1];
  ASSERT_TRUE(paired_windows(table, a, b, options.selection));
  TestResult& test = table.rows[b.cells.back().rows.front()].record.test["default"];
  const TestResult before = test;
  test.token_hash = "another";
  EXPECT_FALSE(paired_windows(table, a, b, options.selection));
  test = before;
  test.tokens -= 1;
  EXPECT_FALSE(paired_windows(table, a, b, options.selection));
}

TEST(TextErrorOfArms, IsTheSumOfBothWhereTheirContextsDiffer) {
  auto [table, options] = pilot_study();
  const auto compared = [&options = options](const RunTable& runs) {
    return compare_all(runs, fit_arms(runs, NCount::kNonEmbedding, options), options).front();
  };
  const Comparison paired = compared(table);
  EXPECT_TRUE(paired.warnings.empty());
  RunTable without = table;
  for (RunRow& row : table.rows) row.record.shape.n_ctx *= row.arm == table.rows[0].arm ? 1 : 2;
  const Comparison apart = compared(table);
  ASSERT_TRUE(paired.text_standard_error && apart.text_standard_error);
  EXPECT_GT(*apart.text_standard_error, *paired.text_standard_error);
  EXPECT_GT(apart.standard_error, paired.standard_error);
  EXPECT_GT(apart.curved.centre.standard_error, paired.curved.centre.standard_error);
  ASSERT_EQ(apart.at_equal_n.size(), paired.at_equal_n.size());
  for (std::size_t i = 0; i < apart.at_equal_n.size(); ++i) {
    EXPECT_TRUE(apart.at_equal_n[i].text_counted);
    EXPECT_GT(*apart.at_equal_n[i].standard_error, *paired.at_equal_n[i].standard_error);
  }
  ASSERT_EQ(apart.warnings.size(), 1u);
  EXPECT_NE(apart.warnings[0].find("read the test text in different windows"), std::string::npos);

  for (RunRow& row : without.rows) row.window_losses.clear();
  const Comparison unknown = compared(without);
  EXPECT_FALSE(unknown.text_standard_error);
  EXPECT_FALSE(unknown.at_equal_n.front().text_counted);
  EXPECT_TRUE(unknown.warnings.empty());
}

TEST(TextErrorOfArms, IsCountedInAllOrInNone) {
  auto [table, options] = pilot_study();
  RunTable without = table;
  for (RunRow& row : without.rows) row.window_losses.clear();
  table.rows.back().window_losses.clear();
  const auto one_missing = fit_arms(table, NCount::kNonEmbedding, options);
  const auto none = fit_arms(without, NCount::kNonEmbedding, options);
  ASSERT_EQ(one_missing.size(), 2u);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(one_missing[k].power.slope_standard_error, none[k].power.slope_standard_error);
    EXPECT_TRUE(one_missing[k].windows.empty());
  }
}

}  // namespace
}  // namespace scalelaw
