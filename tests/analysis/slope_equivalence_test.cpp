#include "analysis/slope_equivalence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/compare.h"
#include "analysis/fitting/distributions.h"
#include "tests/analysis/ladder.h"

namespace scalelaw {
namespace {

TEST(SlopeEquivalence, IsThatTheIntervalOfTwiceTheLevelLiesWithinTheMargin) {
  for (const double difference : {-.012, -.004, 0., .003, .011}) {
    for (const double within : {.005, .01, .02}) {
      const double se = .003, df = 9.3, reach = student_t_quantile(.95, df) * se;
      const bool inside = difference - reach > -within && difference + reach < within;
      EXPECT_EQ(test_equivalence(difference, se, df, within, .05).p < .05, inside)
          << difference << " " << within;
    }
  }
}

TEST(SlopeEquivalence, LeastMarginIsFoundInAtLeast80PercentOfStudies) {
  const double se = .004, df = 6;
  const double margin = test_equivalence(0, se, df, .01, .05).least_margin;
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  std::chi_squared_distribution<double> chi2(df);
  int found = 0;
  constexpr int kStudies = 4000;
  for (int i = 0; i < kStudies; ++i) {
    const double estimate = se * normal(random), scale = std::sqrt(chi2(random) / df);
    found += test_equivalence(estimate, se * scale, df, margin, .05).p < .05;
  }
  // Four standard deviations of a share of .8 are .025.
  EXPECT_GT(found, (.8 - .025) * kStudies);
  EXPECT_LT(found, .9 * kStudies);
}

Comparison tested(double p, double p_of_difference) {
  Comparison c;
  c.equivalence = SlopeEquivalence{.01, p, p, .02};
  c.p = c.p_holm = p_of_difference;
  return c;
}

TEST(SlopeEquivalence, NoRejectionIsNeverWordedAsEquality) {
  EXPECT_EQ(equivalence_sentence(tested(.2, .6), false, .05),
            "Equivalence: the slopes are not shown to be equal within 0.01 (p = 0.2, two one-sided "
            "t tests), nor does that show them to differ by more. Equal slopes are found equal "
            "within 0.020 in about 80% of such studies.");
  EXPECT_EQ(equivalence_sentence(tested(.002, .6), false, .05),
            "Equivalence: the slopes are equivalent within 0.01 (p = 0.002, two one-sided t "
            "tests).");
  EXPECT_NE(equivalence_sentence(tested(.002, .01), false, .05).find(", though they differ."),
            std::string::npos);
  EXPECT_NE(equivalence_sentence(tested(.002, .6), true, .05).find("no equality of the laws"),
            std::string::npos);
  EXPECT_EQ(equivalence_sentence(Comparison{}, false, .05), "");
}

TEST(SlopeEquivalence, IsAdjustedOverPairs) {
  std::mt19937_64 random(8);
  std::normal_distribution<double> normal;
  RunTable table;
  for (const char* arm : {"a", "b", "c"}) {
    for (int i = 0; i < 8; ++i) {
      const double n = 1e3 * std::pow(10.0, 2.0 * i / 7);
      add_run(table, arm, n, 1 - .1 * std::log(n) + .003 * normal(random));
    }
  }
  LawOptions options = ladder_options();
  options.equivalent_within = .005;
  const auto all = compare_all(table, fit_arms(table, NCount::kNonEmbedding, options), options);
  ASSERT_EQ(all.size(), 3u);
  double least = 1, least_holm = 1;
  for (const Comparison& c : all) {
    EXPECT_GE(c.equivalence->p_holm, c.equivalence->p);
    least = std::min(least, c.equivalence->p);
    least_holm = std::min(least_holm, c.equivalence->p_holm);
  }
  EXPECT_DOUBLE_EQ(least_holm, std::min(1.0, 3 * least));
}

}  // namespace
}  // namespace scalelaw
