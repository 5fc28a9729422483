// Gains of compute or size at equal loss, from losses of our choosing.
#include "analysis/equivalent_gain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "analysis/gain_words.h"
#include "tests/analysis/ladder.h"

namespace scalelaw {
namespace {

using Curve = std::function<double(double)>;  // ln L of N

struct Arms {
  RunTable table;
  std::vector<ArmLaws> laws;
};

// `sizes` over two decades from 1e3; a tiny noise, so that sets have a width.
Arms arms_of(const Curve& a, const Curve& b, int sizes = 8, double noise = 1e-6,
             double shift_of_b = 1) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  Arms arms;
  for (int i = 0; i < sizes; ++i) {
    const double n = 1e3 * std::pow(10.0, 2.0 * i / (sizes - 1));
    add_run(arms.table, "a", n, a(std::rint(n)) + noise * normal(random));
    add_run(arms.table, "b", shift_of_b * n, b(std::rint(shift_of_b * n)) + noise * normal(random));
  }
  arms.laws = fit_arms(arms.table, NCount::kNonEmbedding, ladder_options());
  return arms;
}

EquivalentGains gains_of(const Arms& arms, const std::vector<double>& at = {}) {
  return equivalent_gains(arms.laws[0], arms.laws[1], false, at, .95);
}

Curve line(double level, double slope) {
  return [=](double n) { return level - slope * std::log(n / 1e4); };
}

TEST(EquivalentGain, OfParallelLinesIsTheirDistanceOverTheSlope) {
  const EquivalentGains found = gains_of(arms_of(line(1, .1), line(1.05, .1)));
  ASSERT_EQ(found.status, FitStatus::kConverged) << found.why;
  ASSERT_EQ(found.gains.size(), 3u);
  EXPECT_EQ(found.gains[0].at, 1e3);
  EXPECT_NEAR(found.gains[1].at, 1e4, 1);
  EXPECT_EQ(found.gains[2].at, 1e5);
  for (const EquivalentGain& gain : found.gains) {
    EXPECT_TRUE(gain.at_measured);
    EXPECT_EQ(gain.lines.kind, GainSet::Kind::kInterval);
    EXPECT_NEAR(*gain.lines.estimate, std::exp(.5), 1e-4);
    EXPECT_NEAR(gain.lines.low, std::exp(.5), 1e-4);
    EXPECT_NEAR(gain.lines.high, std::exp(.5), 1e-4);
    EXPECT_LT(gain.lines.low, gain.lines.high);
  }
  // a's runs do not go down to what b needs at its smallest.
  EXPECT_FALSE(found.gains[0].lines.estimate_measured);
  EXPECT_TRUE(found.gains[2].lines.set_measured);
}

TEST(EquivalentGain, FollowsSlopesThatDiffer) {
  // Equal at 1e4: for b's loss at s a needs 1e4 (s / 1e4)^(.08 / .1).
  const EquivalentGains found = gains_of(arms_of(line(1, .1), line(1, .08)), {2e3, 1e4, 5e4});
  for (const EquivalentGain& gain : found.gains) {
    EXPECT_NEAR(*gain.lines.estimate, std::pow(gain.at / 1e4, .2), 1e-4);
    EXPECT_NEAR(*gain.parabolas->estimate, std::pow(gain.at / 1e4, .2), 1e-4);
  }
}

TEST(EquivalentGain, AParabolaFollowsABendThatALineAverages) {
  const auto bent = [](double n) {
    const double x = std::log(n / 1e4);
    return 1 - .1 * x + .008 * x * x;
  };
  // b is a with 1.5 times the scale.
  const EquivalentGains found =
      gains_of(arms_of(bent, [&](double n) { return bent(n / 1.5); }), {3e3, 1e4, 6e4});
  ASSERT_LT(*found.bend_p_a, .05);
  for (const EquivalentGain& gain : found.gains) {
    EXPECT_EQ(gain.parabolas->kind, GainSet::Kind::kInterval);
    EXPECT_NEAR(*gain.parabolas->estimate, 1.5, 1e-4);
    EXPECT_TRUE(gain.parabolas->set_measured);
  }
}

TEST(EquivalentGain, IsBoundedFromAboveWhereALossIsNeverReached) {
  const auto floored = [](double n) { return std::log(2.2 + 12 * std::pow(n, -.5)); };
  const EquivalentGains found = gains_of(arms_of(floored, line(std::log(2.3), .1), 8, .002), {9e4});
  const GainSet& set = *found.gains[0].parabolas;
  EXPECT_EQ(set.kind, GainSet::Kind::kAtMost);
  EXPECT_FALSE(set.estimate);
  EXPECT_NEAR(set.high, .9, 1e-9);  // of b's 9e4 over a's largest, 1e5
}

TEST(EquivalentGain, IsBoundedFromBelowWhereTheSmallestRunIsBetter) {
  const EquivalentGains found = gains_of(arms_of(line(.7, .1), line(1, .1), 8, .002), {2e3});
  const GainSet& set = *found.gains[0].parabolas;
  EXPECT_EQ(set.kind, GainSet::Kind::kAtLeast);
  EXPECT_FALSE(set.estimate);
  EXPECT_NEAR(set.low, 2, 1e-9);
}

TEST(EquivalentGain, IsNotDeterminedByALossThatIsNotShownToFall) {
  const EquivalentGains found = gains_of(arms_of(line(1, .0005), line(1, .1), 8, .02), {1e4});
  EXPECT_EQ(found.gains[0].lines.kind, GainSet::Kind::kUndetermined);
}

TEST(EquivalentGain, BeyondTheRunsIsMarkedAndNoParabolaGoesThere) {
  const EquivalentGains found = gains_of(arms_of(line(1, .1), line(1, .09)), {5e5});
  EXPECT_FALSE(found.gains[0].at_measured);
  EXPECT_FALSE(found.gains[0].parabolas);
  EXPECT_FALSE(found.gains[0].lines.estimate_measured);
}

TEST(EquivalentGain, NeedsARangeThatBothCoverAndSizesInIt) {
  EXPECT_EQ(gains_of(arms_of(line(1, .1), line(1, .1), 8, 1e-6, 1000)).why,
            "the arms' runs have no range of it in common");
  EXPECT_NE(gains_of(arms_of(line(1, .1), line(1, .1), 8, 1e-6, 70)).why, "");
  EXPECT_FALSE(gains_of(arms_of(line(1, .1), line(1, .1), 4)).gains[1].parabolas);
}

TEST(EquivalentGain, OfComputeIsOverTheFlopsOfWholeRuns) {
  Arms arms = arms_of(line(1, .1), line(1, .1));
  EXPECT_EQ(equivalent_gains(by_compute(arms.table, arms.laws[0]),
                             by_compute(arms.table, arms.laws[1]), false, {}, .95)
                .why,
            "it is not known of every run");
  for (RunRow& row : arms.table.rows) {  // the larger, the cheaper
    row.record.counts.forward_flops.attention = 1e9 / row.n(NCount::kNonEmbedding);
  }
  const ArmLaws moved = by_compute(arms.table, arms.laws[0]);
  ASSERT_EQ(moved.cells.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(moved.cells[i].rows, arms.laws[0].cells[7 - i].rows);
    EXPECT_EQ(moved.cells[i].n, arms.table.rows[moved.cells[i].rows.front()].training_flops());
  }
}

Comparison with_gains(const std::vector<EquivalentGain>& gains) {
  Comparison c;
  c.arm_a = "a";
  c.arm_b = "b";
  c.compute_gains = {FitStatus::kConverged, "", 1e11, 1e13, {}, {}, gains};
  return c;
}

TEST(GainWords, SayMoreOrLessAndWhatIsNotExcluded) {
  using Kind = GainSet::Kind;
  const Comparison c =
      with_gains({{1e11, true, .5, {Kind::kInterval, 2, 1.5, 3, true, true}, {}},
                  {1e12, true, .5, {Kind::kInterval, .5, .4, 1.25, false, false}, {}},
                  {1e13, false, .5, {}, {}}});
  EXPECT_EQ(
      compute_gain_sentence(c, {}, .05)
          .find("For the loss that b has at C = 1.00e+11 FLOPs, a needs 2 [1.5, 3] times less; at "
                "1.00e+12, 2 [0.8, 2.5] times more (1, no gain, is not excluded) (beyond its runs: "
                "an extrapolation); at 1.00e+13, an amount that these runs do not determine "
                "(beyond b's runs). Each stands at 95% by itself."),
      0u)
      << compute_gain_sentence(c, {}, .05);
}

TEST(GainWords, NeverSayThatALossIsReachedThatIsNotShownTo) {
  using Kind = GainSet::Kind;
  Comparison c = with_gains({{1e11, true, .5, {}, GainSet{Kind::kAtMost, {}, 0, .5}},
                             {1e12, true, .5, {}, GainSet{Kind::kAtLeast, {}, 2, 0}}});
  c.compute_gains.bend_p_b = .001;
  const std::string text = compute_gain_sentence(c, {}, .05);
  EXPECT_NE(text.find("a needs at least 2 times more, if it gets there (none of its runs is shown "
                      "to); at 1.00e+12, at least 2 times less (its smallest run may do)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("a parabola in ln C for each arm, since b bends over it"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
