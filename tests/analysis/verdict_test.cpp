// What a comparison says, from numbers of our choosing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "analysis/compare.h"
#include "analysis/curved_slopes.h"
#include "analysis/number_text.h"
#include "tests/analysis/coverage_share.h"
#include "tests/analysis/ladder.h"

namespace scalelaw {
namespace {

Comparison found() {
  Comparison c;
  c.arm_a = "a";
  c.arm_b = "b";
  c.status = FitStatus::kConverged;
  c.sizes_a = c.sizes_b = 8;
  c.n_low = c.shared_low = 1e3;
  c.n_high = c.shared_high = 1e5;
  c.slope_a = .11;
  c.slope_b = .09;
  c.difference = .02;
  c.slope_interval_a = {.10, .12};
  c.slope_interval_b = {.08, .10};
  c.interval = {.01, .03};
  c.equivalence_margin = .03;
  c.p = c.p_holm = .001;
  c.floor.status = c.curved.status = FitStatus::kConverged;
  c.floor.alpha_a = .3;
  c.floor.alpha_b = .2;
  c.floor.p_holm = .001;
  c.curved.centre = {1e4, .02, .002, {.015, .025}};
  c.curved.low = {1e3, .04, .005, {.03, .05}};
  c.curved.high = {1e5, .00, .005, {-.01, .01}};
  c.curved.p_holm = .001;
  return c;
}

Comparison by_other_count(double difference, double p) {
  Comparison other = found();
  other.n_count = NCount::kNonEmbeddingPlusHead;
  other.difference = difference;
  other.interval = {difference - .01, difference + .01};
  other.p_holm = p;
  return other;
}

bool says(const std::vector<std::string>& remarks, const std::string& part) {
  return std::any_of(remarks.begin(), remarks.end(), [&](const std::string& remark) {
    return remark.find(part) != std::string::npos;
  });
}

TEST(Verdict, NamesTheFormTheCountAndOnlyLooksThatDoNotShareItsFinding) {
  Comparison c = found();
  const Comparison same = by_other_count(.021, .001);
  put_in_words(c, &same, ladder_options());
  EXPECT_NE(c.verdict.find("as straight lines in ln L over ln N"), std::string::npos);
  EXPECT_NE(c.verdict.find("(parameters without embeddings and head)"), std::string::npos);
  EXPECT_EQ(c.verdict.find("not established"), std::string::npos) << c.verdict;

  c = found();
  c.floor.p_holm = .27;
  const Comparison unsure = by_other_count(.002, .8);
  put_in_words(c, &unsure, ladder_options());
  EXPECT_NE(
      c.verdict.find("this is not established with a free floor in each arm (p 0.27), nor with "
                     "the head counted in N (difference 0.002 [-0.008, 0.012])."),
      std::string::npos)
      << c.verdict;
}

TEST(Verdict, ALookThatCannotBeTakenEstablishesNothing) {
  Comparison c = found();
  c.floor.status = FitStatus::kAtBound;
  Comparison none = by_other_count(0, 1);
  none.status = FitStatus::kNotComparable;
  put_in_words(c, &none, ladder_options());
  EXPECT_NE(
      c.verdict.find("not established with a free floor in each arm (no such fit stands), nor "
                     "with the head counted in N (no comparison stands)."),
      std::string::npos)
      << c.verdict;
  c = found();
  c.p_holm = .5;
  c.curved.p_holm = .5;
  c.floor.status = FitStatus::kAtBound;
  put_in_words(c, &none, ladder_options());
  EXPECT_EQ(c.verdict.find("a difference is found"), std::string::npos) << c.verdict;
}

TEST(Verdict, ALookInTheOppositeSenseDoesNotEstablishIt) {
  Comparison c = found();
  const Comparison turned = by_other_count(-.02, .001);
  c.floor.alpha_b = .4;
  put_in_words(c, &turned, ladder_options());
  EXPECT_NE(c.verdict.find("not established with a free floor"), std::string::npos) << c.verdict;
  EXPECT_NE(c.verdict.find("with the head counted in N (b steeper, difference -0.020"),
            std::string::npos)
      << c.verdict;
  EXPECT_TRUE(says(c.remarks, "the exponents differ the other way round (0.30 of a, 0.40 of b"));
}

TEST(Verdict, FloorsThatDifferDoNotSayTooWhereLinesDoNot) {
  Comparison c = found();
  c.p_holm = .4;
  put_in_words(c, nullptr, ladder_options());
  EXPECT_NE(c.verdict.find("a difference is found with a free floor in each arm"),
            std::string::npos)
      << c.verdict;
  EXPECT_TRUE(says(c.remarks, "differ, though the straight lines' slopes were not told apart"));
  EXPECT_FALSE(says(c.remarks, "differ too"));
}

TEST(Verdict, WhereLinesFindNothingALookInAnySenseIsTold) {
  Comparison c = found();
  c.p_holm = .9;
  c.floor.alpha_b = .5;  // the lines have a steeper by .02, which is noise
  c.curved.p_holm = .5;
  const Comparison turned = by_other_count(-.03, .001);
  put_in_words(c, &turned, ladder_options());
  EXPECT_NE(c.verdict.find("; a difference is found with a free floor in each arm (b steeper, p "
                           "0.001), and with the head counted in N (b steeper, difference -0.030"),
            std::string::npos)
      << c.verdict;
}

// Lines, floors and parabolas that are not told apart.
Comparison nothing_found() {
  Comparison c = found();
  c.p_holm = .5;
  c.difference = .001;
  c.interval = {-.025, .027};
  c.equivalence_margin = .027;
  c.floor.p_holm = c.curved.p_holm = .5;
  for (CurvedSlopes::At* at : {&c.curved.low, &c.curved.centre, &c.curved.high}) {
    at->difference = .001;
    at->interval = {-.02, .022};
  }
  return c;
}

TEST(Verdict, EqualityReachesAsFarAsTheHeadlineExcludes) {
  Comparison c = found(), none = nothing_found();
  const Comparison same = by_other_count(.002, .8);
  put_in_words(c, &same, ladder_options());
  put_in_words(none, &same, ladder_options());
  EXPECT_NE(none.verdict.find("(a difference of 0.027 is not excluded)."), std::string::npos)
      << none.verdict;
  EXPECT_TRUE(says(none.remarks, "As straight lines the slopes are equal within 0.027 at 95%"));
  EXPECT_FALSE(says(c.remarks, "equal within"));
}

TEST(Verdict, NothingIsCalledEqualThatBendsOrThatAnotherLookTellsApart) {
  Comparison bent = nothing_found(), floors = nothing_found(), end = nothing_found(),
             counted = nothing_found();
  bent.bend_p_b = .001;
  floors.floor.p_holm = .001;
  end.curved.high = {1e5, -.02, .005, {-.03, -.01}};
  const Comparison differ = by_other_count(-.02, .001);
  for (Comparison* c : {&bent, &floors, &end}) put_in_words(*c, nullptr, ladder_options());
  put_in_words(counted, &differ, ladder_options());
  for (const Comparison* c : {&bent, &floors, &end, &counted}) {
    EXPECT_FALSE(says(c->remarks, "equal within"));
  }
}

TEST(Verdict, LossesFallOrRiseWhereTheArmsOwnIntervalsSaySo) {
  const auto verdict = [](const Interval& a, const Interval& b) {
    Comparison c = found();
    c.slope_interval_a = a;
    c.slope_interval_b = b;
    put_in_words(c, nullptr, ladder_options());
    return c.verdict;
  };
  const Interval falls = {.10, .12}, open = {-.01, .02}, rises = {-.03, -.01};
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(
      has(verdict(falls, falls), "the loss of a falls more steeply with N than that of b:"));
  EXPECT_TRUE(has(verdict(falls, open),
                  "the loss of a falls more steeply with N than that of b, which is not shown to "
                  "fall:"));
  EXPECT_TRUE(has(verdict(falls, rises), "the loss of a falls with N, that of b rises:"));
  EXPECT_TRUE(has(verdict(open, open),
                  "the slope of a is larger than that of b, though neither loss by itself is shown "
                  "to fall or rise with N:"));
  EXPECT_TRUE(has(verdict(open, rises),
                  "the loss of b rises more steeply with N than that of a, which is not shown to "
                  "rise:"));
  EXPECT_TRUE(
      has(verdict(rises, rises), "the loss of b rises more steeply with N than that of a:"));
}

TEST(Verdict, FloorsAreNoEvidenceWhereTheirTestIsTooEager) {
  Comparison c = found(), none = nothing_found();
  c.sizes_a = none.sizes_a = 5;
  none.floor.p_holm = .03;
  put_in_words(c, nullptr, ladder_options());
  put_in_words(none, nullptr, ladder_options());
  EXPECT_NE(c.verdict.find("; this is not established with a free floor in each arm (a steeper, p "
                           "0.001, by a test that is too eager where the arms' numbers of sizes "
                           "differ)."),
            std::string::npos)
      << c.verdict;
  EXPECT_NE(none.verdict.find("(a steeper, p 0.03, by a test that is too eager"), std::string::npos)
      << none.verdict;
  EXPECT_TRUE(says(c.remarks, "it rejected equal exponents in 15% of simulations"));
}

TEST(Verdict, AParabolasFindingIsOfTheCentreAndSaysWhereItIsReversed) {
  Comparison c = found(), none = nothing_found();
  c.curved.high = {1e5, -.05, .005, {-.06, -.04}};
  none.curved = found().curved;
  put_in_words(c, nullptr, ladder_options());
  put_in_words(none, nullptr, ladder_options());
  EXPECT_NE(c.verdict.find("; this is not established with a parabola in each arm (a steeper at "
                           "the centre, reversed at the large end, p 0.001)."),
            std::string::npos)
      << c.verdict;
  EXPECT_NE(none.verdict.find("a difference is found with a parabola in each arm (a steeper at the "
                              "centre, p 0.001)."),
            std::string::npos)
      << none.verdict;
}

TEST(Verdict, LooksAreNotAdjustedForTheirNumberAndItSaysSoOnce) {
  Comparison c = found();
  put_in_words(c, nullptr, ladder_options());
  EXPECT_EQ(std::count_if(c.remarks.begin(), c.remarks.end(),
                          [](const std::string& remark) {
                            return remark.find("not adjusted for their number") !=
                                   std::string::npos;
                          }),
            1);
}

TEST(Verdict, AReversalWithinTheRangeIsTold) {
  Comparison c = found();
  c.bend_p_a = .001;
  put_in_words(c, nullptr, ladder_options());
  EXPECT_FALSE(says(c.remarks, "which arm is steeper changes within the range"));
  c = found();
  c.bend_p_a = .001;
  c.curved.high = {1e5, -.05, .005, {-.06, -.04}};
  put_in_words(c, nullptr, ladder_options());
  EXPECT_TRUE(says(c.remarks, "which arm is steeper changes within the range"));
}

TEST(Verdict, ItsRangeIsWhatBothArmsCover) {
  Comparison c = found();
  c.n_low = 910;
  c.n_high = 1.09e5;
  put_in_words(c, nullptr, ladder_options());
  EXPECT_EQ(c.verdict.find("Over N from 1k to 100k, which both arms cover"), 0u) << c.verdict;
}

TEST(Verdict, FewSizesCarryTheirMeasuredCoverage) {
  Comparison c = found(), four = found(), three = found(), both = found();
  four.sizes_a = both.sizes_a = both.sizes_b = 4;
  three.sizes_b = 3;
  for (Comparison* one : {&c, &four, &three, &both}) {
    put_in_words(*one, nullptr, ladder_options());
  }
  EXPECT_TRUE(says(four.remarks,
                   "as few as 4 sizes and the other more, such an interval at 95% may hold the "
                   "truth in only about 92% of studies, and one at 99% in 97%."));
  EXPECT_TRUE(says(three.remarks, "only about 88% of studies, and one at 99% in 92%."));
  EXPECT_FALSE(says(c.remarks, "as few as"));
  EXPECT_FALSE(says(both.remarks, "as few as"));
}

TEST(Verdict, ParabolasAreToldWhereAnArmBends) {
  Comparison straight = found(), bent = found();
  straight.bend_p_a = straight.bend_p_b = .3;
  bent.bend_p_a = .3;
  bent.bend_p_b = .001;
  put_in_words(straight, nullptr, ladder_options());
  put_in_words(bent, nullptr, ladder_options());
  EXPECT_FALSE(says(straight.remarks, "With a parabola"));
  EXPECT_TRUE(says(bent.remarks, "On a log-log plot b bends"));
  EXPECT_TRUE(says(bent.remarks, "0.000 [-0.010, 0.010] at N = 100k: where the interval holds 0"));
}

TEST(Verdict, WhatIsNotANumberIsNoResult) {
  EXPECT_EQ(p_text(std::numeric_limits<double>::quiet_NaN()), "no result");
}

// Parabolas whose slopes are known: exact data give them back, noise is covered.
TEST(CurvedSlopes, AreThoseOfTheCurves) {
  std::mt19937_64 random(6);
  std::normal_distribution<double> normal;
  int low = 0, centre = 0, high = 0;
  constexpr int kSimulations = 1000;
  for (int i = 0; i < kSimulations; ++i) {
    RunTable table;
    for (int k = 0; k < 8; ++k) {
      const double n = std::rint(1e3 * std::pow(10.0, 2.0 * k / 7)), x = std::log(n / 1e4);
      add_run(table, "a", n, 1 - .12 * x + .010 * x * x + .003 * normal(random));
      add_run(table, "b", n, 1 - .10 * x + .005 * x * x + .003 * normal(random));
    }
    const LawOptions options = ladder_options();
    const auto laws = fit_arms(table, NCount::kNonEmbedding, options);
    const CurvedSlopes c = compare_curved_slopes(laws[0], laws[1], false, 1e3, 1e5, options.level);
    ASSERT_EQ(c.status, FitStatus::kConverged);
    const auto holds = [](const CurvedSlopes::At& at) {
      return at.interval.contains(.02 - 2 * .005 * std::log(at.n / 1e4));
    };
    low += holds(c.low);
    centre += holds(c.centre);
    high += holds(c.high);
  }
  for (const int covered : {low, centre, high}) EXPECT_TRUE(covers(covered, kSimulations));
}

}  // namespace
}  // namespace scalelaw
