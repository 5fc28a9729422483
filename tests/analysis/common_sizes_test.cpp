// Which sizes a comparison is of, and what becomes of it where there are none to compare on.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/compare.h"
#include "tests/analysis/ladder.h"

namespace scalelaw {
namespace {

constexpr double kSlopeLow = .15, kBend = .02;

// -d ln L / d ln N of both arms: falls with ln N.
double bent_ln_loss(double n) {
  const double x = std::log(n / 1e3);
  return 1.2 - kSlopeLow * x + .5 * kBend * x * x;
}

// Two arms on one bent curve; the second ends `steps` sizes earlier.
RunTable bent_arms(int shorter_by, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  RunTable table;
  for (int i = 0; i < 9; ++i) {
    const double n = 1e3 * std::pow(10.0, .25 * i);
    add_run(table, "long", n, bent_ln_loss(n) + .002 * normal(random));
    if (i + shorter_by < 9) add_run(table, "short", n, bent_ln_loss(n) + .002 * normal(random));
  }
  return table;
}

TEST(CommonSizes, ArmsOnOneBentCurveWithUnequalRangesAreNotCalledDifferent) {
  std::mt19937_64 random(1);
  int found = 0, found_on_all = 0;
  constexpr int kSimulations = 200;
  for (int i = 0; i < kSimulations; ++i) {
    const RunTable table = bent_arms(4, random);
    const LawOptions options = ladder_options();
    const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
    const Comparison c = compare_all(table, laws, options).front();
    ASSERT_EQ(c.status, FitStatus::kConverged) << c.why;
    found += c.p < .05;
    const double error =
        std::hypot(laws[0].power.slope_standard_error, laws[1].power.slope_standard_error);
    found_on_all += std::abs(laws[0].power.slope - laws[1].power.slope) > 2.2 * error;
  }
  // .05 and four binomial standard deviations at 200; the bend counts as noise, so it is fewer.
  EXPECT_LE(found, .05 * kSimulations + 4 * std::sqrt(.05 * .95 * kSimulations));
  EXPECT_GT(found_on_all, .9 * kSimulations);  // what fits to each arm's own range would say
}

TEST(CommonSizes, SlopesAreOfTheNamedRangeAndSizesLeftOutAreNamed) {
  std::mt19937_64 random(2);
  const RunTable table = bent_arms(4, random);
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  const Comparison c = compare_all(table, laws, options).front();
  EXPECT_EQ(c.sizes_a, 5);
  EXPECT_EQ(c.sizes_b, 5);
  EXPECT_GE(c.df, 3);
  EXPECT_LE(c.df, 6);
  EXPECT_EQ(c.left_out.size(), 4u);
  EXPECT_DOUBLE_EQ(c.n_high, 1e4);
  // Of a parabola the line over [0, x] in ln N has the slope of its middle.
  EXPECT_NEAR(c.slope_a, kSlopeLow - kBend * .5 * std::log(10.0), .004);
  EXPECT_NEAR(laws[0].power.slope, kSlopeLow - kBend * .5 * std::log(100.0), .004);  // all sizes
  EXPECT_NE(c.verdict.find("Over N from 1k to 10k"), std::string::npos) << c.verdict;
  bool named = false;
  for (const std::string& remark : c.remarks) {
    named |= remark.find("Not in this comparison") == 0 &&
             remark.find("long at N = 17.8k, 31.6k, 56.2k, 100k") != std::string::npos;
  }
  EXPECT_TRUE(named);
}

TEST(CommonSizes, EndsThatNearlyMeetAreKept) {
  RunTable table;
  for (const double n : {1e3, 1e4, 1e5}) {
    add_run(table, "a", n, std::log(3) - .1 * std::log(n));
    add_run(table, "b", 1.09 * n, std::log(3) - .1 * std::log(1.09 * n));
  }
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  const Comparison c = compare_all(table, laws, options).front();
  EXPECT_EQ(c.status, FitStatus::kConverged);
  EXPECT_TRUE(c.left_out.empty());
  EXPECT_DOUBLE_EQ(c.shared_low, 1090);
  EXPECT_DOUBLE_EQ(c.n_low, 1e3);
}

TEST(CommonSizes, ArmsWithoutACommonRangeAreNotCompared) {
  RunTable table;
  for (const double n : {1e3, 2e3, 4e3, 8e3}) {
    add_run(table, "small", n, bent_ln_loss(n));
    add_run(table, "large", 20 * n, bent_ln_loss(20 * n) - .001 * std::log(n));
  }
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  const Comparison c = compare_all(table, laws, options).front();
  EXPECT_EQ(c.status, FitStatus::kNotComparable);
  EXPECT_NE(c.verdict.find("cannot be compared: they share no range of N (small from 1k to 8k, "
                           "large from 20k to 160k)"),
            std::string::npos)
      << c.verdict;
}

TEST(CommonSizes, FewerThanThreeCommonSizesAreNotCompared) {
  RunTable table;
  for (const double n : {1e3, 2e3, 4e3, 8e3}) {
    add_run(table, "small", n, bent_ln_loss(n));
    add_run(table, "large", 4 * n, bent_ln_loss(4 * n));
  }
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  const Comparison c = compare_all(table, laws, options).front();
  EXPECT_EQ(c.status, FitStatus::kNotComparable);
  EXPECT_NE(c.verdict.find("only 2 sizes of small lie in the range of N that both cover"),
            std::string::npos)
      << c.verdict;
  EXPECT_EQ(c.pairs, 1);
}

TEST(CommonSizes, ALossThatDoesNotFallIsComparedWithOneThatDoes) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  RunTable table;
  for (const double n : {1e3, 3e3, 1e4, 3e4, 1e5}) {
    add_run(table, "a", n, 2 - .1 * std::log(n) + .002 * normal(random));
    add_run(table, "b", n, 1 + .005 * std::log(n) + .002 * normal(random));
  }
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  EXPECT_EQ(laws[1].power.status, FitStatus::kDegenerate);
  EXPECT_EQ(laws[1].power.why, "the loss rises with size");
  const Comparison c = compare_all(table, laws, options).front();
  ASSERT_EQ(c.status, FitStatus::kConverged) << c.why;
  EXPECT_NE(c.verdict.find("the loss of a falls with N, that of b rises: slopes 0.1"),
            std::string::npos)
      << c.verdict;
}

TEST(CommonSizes, ALossThatNoiseHidesIsNotSaidToRise) {
  RunTable table;
  for (const double n : {1e3, 3e3, 1e4, 3e4, 1e5}) {
    add_run(table, "a", n, 2 - .1 * std::log(n) + (n == 1e4 ? .002 : -.001));
    add_run(table, "b", n, 1 + .005 * std::log(n) + (n == 1e4 ? .05 : -.01));
  }
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  EXPECT_LT(laws[1].power.slope, 0);
  EXPECT_EQ(laws[1].power.why, "the loss is not shown to fall with size");
  const Comparison c = compare_all(table, laws, options).front();
  EXPECT_NE(c.verdict.find("the loss of a falls more steeply with N than that of b, which is not "
                           "shown to fall: slopes 0.1"),
            std::string::npos)
      << c.verdict;
}

TEST(CommonSizes, ArmsWhoseLossRisesAreNotSaidToFall) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  RunTable table;
  for (const double n : {1e3, 3e3, 1e4, 3e4, 1e5}) {
    add_run(table, "a", n, .3 + .05 * std::log(n) + .002 * normal(random));
    add_run(table, "b", n, .3 + .10 * std::log(n) + .002 * normal(random));
  }
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  const Comparison c = compare_all(table, laws, options).front();
  EXPECT_EQ(c.verdict.find("falls"), std::string::npos) << c.verdict;
  EXPECT_NE(c.verdict.find("the loss of b rises more steeply with N than that of a"),
            std::string::npos)
      << c.verdict;
}

TEST(CountsOfN, SizesWithoutParametersByOneCountAreLeftOutOfItAlone) {
  RunTable table;
  for (const char* arm : {"a", "b"}) {
    for (const double n : {0., 1e3, 1e4, 1e5}) {
      add_run(table, arm, n, 1 - .1 * std::log(n + 5120) + (arm[0] == 'b' ? 1e-4 * n / 1e5 : 0));
    }
  }
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  EXPECT_EQ(laws[0].power.sizes, 3);
  EXPECT_TRUE(std::isfinite(laws[0].power.slope));
  EXPECT_NE(laws[0].left_out.find("1 run has no parameters by the count non_embedding"),
            std::string::npos)
      << laws[0].left_out;
  const auto with_head = fit_arms(table, NCount::kNonEmbeddingPlusHead, options);
  EXPECT_EQ(with_head[0].power.sizes, 4);
  EXPECT_EQ(with_head[0].left_out, "");
}

TEST(CountsOfN, AnArmWithNothingToFitIsNotCompared) {
  RunTable table;
  for (const double n : {1e3, 1e4, 1e5}) add_run(table, "a", n, 1 - .1 * std::log(n));
  for (int i = 0; i < 3; ++i) {  // three sizes of the embedding alone
    add_run(table, "b", 0, .5 - .01 * i);
    table.rows.back().record.shape.d_model = 8 << i;
  }
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  EXPECT_EQ(laws[1].power.status, FitStatus::kTooFewPoints);
  const Comparison c = compare_all(table, laws, options).front();
  EXPECT_EQ(c.status, FitStatus::kNotComparable);
  EXPECT_EQ(c.verdict.find("nan"), std::string::npos) << c.verdict;
}

TEST(CountsOfN, RecipesOfOneNAreRefusedByThatCountAlone) {
  RunTable table;
  for (const double n : {1e3, 1e4, 1e5, 1e5}) add_run(table, "a", n, 1 - .1 * std::log(n));
  table.rows.back().record.shape.d_model = 99;
  table.rows.back().record.recipe_hash = "another shape";
  const LawOptions options = ladder_options();
  const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
  EXPECT_TRUE(laws[0].cells.empty());
  EXPECT_NE(laws[0].left_out.find("two recipes of N = 100k"), std::string::npos);
  EXPECT_EQ(fit_arms(table, NCount::kNonEmbeddingPlusHead, options)[0].power.sizes, 4);
}

TEST(LineFits, AreNeverConvergedWhereTheyAreNotFinite) {
  std::vector<SizeCell> cells(3);
  for (SizeCell& c : cells) {
    c.n = 1e4;
    c.ln_losses = {c.mean_ln_loss = .5};
  }
  EXPECT_NE(fit_line_of(cells, {}, .95).status, FitStatus::kConverged);
}

TEST(LineFits, HaveNoScaleBeyondAllNumbers) {
  std::vector<SizeCell> cells(5);
  for (int i = 0; i < 5; ++i) {
    SizeCell& c = cells[static_cast<std::size_t>(i)];
    c.n = std::pow(10, 3 + i);
    c.ln_losses = {c.mean_ln_loss = 1 - .0008 * std::log(c.n) + 1e-6 * (i % 2)};
  }
  const PowerLawFit fit = fit_line_of(cells, {}, .95);
  EXPECT_EQ(fit.status, FitStatus::kConverged);
  EXPECT_FALSE(fit.n_c_interval);  // 1 / .0008 = 1250 powers of e
}

}  // namespace
}  // namespace scalelaw
