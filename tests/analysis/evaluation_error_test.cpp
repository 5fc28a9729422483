// What the finite test text adds, against simulations whose variances are known.
#include "analysis/evaluation_error.h"

#include "analysis/curved_slopes.h"
#include "analysis/equal_size.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/analysis/window_ladder.h"

namespace scalelaw {
namespace {

constexpr int kSimulations = 300;
// A variance over 16 blocks has relative sd sqrt(2/15); four of them on the mean of all.
const double kTolerance = 4 * std::sqrt(2.0 / 15 / kSimulations);

const WindowNoise kTilted{
    .common = .2, .level = .3, .tilt = .1, .correlation = .8, .own = .05, .windows = 256};

TEST(TextError, KnownVariancesOfLevelAndSlopeAreRecovered) {
  std::mt19937_64 random(1);
  const double w = kTilted.windows;
  const double step = 1.2;  // the level also away from the centre
  TextVariance centre, away;
  double evaluation = 0;
  for (int i = 0; i < kSimulations; ++i) {
    const WindowDraws text = draw_text(kTilted, random);
    std::vector<ArmLaws> arms = {draw_arm({}, kTilted, text, 1, "a", random)};
    fit_ladders(arms);
    const ArmLaws& a = arms[0];
    const TextVariance one = text_variance(line_series(a.windows, a.cells, kLadderCentre));
    const TextVariance two = text_variance(line_series(a.windows, a.cells, kLadderCentre + step));
    centre.slope += one.slope / kSimulations;
    centre.level += one.level / kSimulations;
    centre.covariance += one.covariance / kSimulations;
    away.level += two.level / kSimulations;
    for (const SizeCell& c : a.cells) {
      evaluation += c.evaluation_variance / static_cast<double>(a.cells.size()) / kSimulations;
    }
  }
  const WindowNoise& k = kTilted;
  const double level = k.common * k.common + k.level * k.level;
  const double along = k.correlation * k.level * k.tilt;  // of ln L's level and its rise
  EXPECT_NEAR(centre.slope / (k.tilt * k.tilt / w), 1, kTolerance);
  EXPECT_NEAR(centre.level / (level / w), 1, kTolerance);
  // The slope is -d ln L / d ln N. A covariance has the wider relative error of correlated means.
  EXPECT_NEAR(centre.covariance / (-along / w), 1, 2 * kTolerance);
  EXPECT_NEAR(away.level / ((level + 2 * step * along + step * step * k.tilt * k.tilt) / w), 1,
              kTolerance);
  EXPECT_NEAR(evaluation / (k.own * k.own / w), 1, kTolerance);
}

TEST(TextError, OfALineIsThatOfManyStudiesAtEveryN) {
  std::mt19937_64 random(2);
  const double places[] = {-2, 0, 2};
  double squares[3] = {}, claimed[3] = {};
  int covered[3] = {};
  for (int i = 0; i < kSimulations; ++i) {
    const WindowDraws text = draw_text(kTilted, random);
    std::vector<ArmLaws> arms = {draw_arm({}, kTilted, text, 1, "a", random)};
    fit_ladders(arms);
    for (int k = 0; k < 3; ++k) {
      const double n = std::exp(kLadderCentre + places[k]);
      const double error = arms[0].power.ln_loss_at(n) - (1 - .1 * places[k]);
      const double se = arms[0].power.standard_error_at(n);
      squares[k] += error * error / kSimulations;
      claimed[k] += se * se / kSimulations;
      covered[k] += std::abs(error) < 2.447 * se;  // t, 6 degrees of freedom
    }
  }
  for (int k = 0; k < 3; ++k) {
    // Squares of 300 errors: relative sd sqrt(2/300); the claim's own is smaller.
    EXPECT_NEAR(claimed[k] / squares[k], 1, 4 * std::sqrt(2.0 / kSimulations) + kTolerance);
    EXPECT_GE(covered[k], .95 * kSimulations - 4 * std::sqrt(.95 * .05 * kSimulations));
  }
  EXPECT_GT(squares[2] / squares[0], 3);  // the covariance tells the two ends apart
}

TEST(TextError, OfADifferenceHasNothingOfWhatAllRunsShare) {
  std::mt19937_64 random(3);
  WindowNoise shared = kTilted;
  double of_difference = 0, of_shared = 0;
  for (int i = 0; i < kSimulations; ++i) {
    const WindowDraws text = draw_text(shared, random);
    std::vector<ArmLaws> arms = {draw_arm({}, shared, text, 1, "a", random),
                                 draw_arm({}, shared, text, 0, "b", random),
                                 draw_arm({}, shared, text, 1, "c", random)};
    fit_ladders(arms);
    Comparison apart, alike;
    compare_slopes(arms[0], arms[1], true, apart);
    compare_slopes(arms[0], arms[2], true, alike);
    of_difference += std::pow(*apart.text_standard_error, 2) / kSimulations;
    of_shared += std::pow(*alike.text_standard_error, 2) / kSimulations;
  }
  const double tilt = shared.tilt * shared.tilt / shared.windows;
  EXPECT_NEAR(of_difference / tilt, 1, kTolerance);
  EXPECT_LT(of_shared / tilt, .02);  // arms that the text tilts alike
}

TEST(TextError, OfArmsThatReadDifferentWindowsIsTheSumOfBoth) {
  std::mt19937_64 random(5);
  WindowNoise longer = kTilted;
  longer.windows = 128;  // the other arm's windows are twice as long
  double lines = 0, parabolas = 0, without_text = 0, equal_sizes = 0;
  for (int i = 0; i < kSimulations; ++i) {
    const WindowDraws text = draw_text(kTilted, random), other = draw_text(longer, random);
    std::vector<ArmLaws> arms = {draw_arm({}, kTilted, text, 1, "a", random),
                                 draw_arm({}, longer, other, 1, "b", random)};
    fit_ladders(arms);
    Comparison c;
    compare_slopes(arms[0], arms[1], false, c);
    lines += std::pow(*c.text_standard_error, 2) / kSimulations;
    const auto at_centre = [&](bool paired, const ArmLaws& b) {
      const double n = std::exp(kLadderCentre);
      return std::pow(compare_curved_slopes(arms[0], b, paired, n, n, .95).centre.standard_error,
                      2) /
             kSimulations;
    };
    parabolas += at_centre(false, arms[1]);
    std::vector<WindowSeries> none;
    std::swap(none, arms[1].windows);
    without_text += at_centre(true, arms[1]);
    std::swap(none, arms[1].windows);
    for (ArmLaws& arm : arms) arm.noise.seed = {1e-9, 4};
    for (const EqualSizeDifference& d : equal_size_differences(arms[0], arms[1], false)) {
      EXPECT_TRUE(d.text_counted);
      equal_sizes += std::pow(*d.standard_error, 2) / 8 / kSimulations;
    }
  }
  const double tilt = kTilted.tilt * kTilted.tilt, inverse = 1 / 256.0 + 1 / 128.0;
  EXPECT_NEAR(lines / (tilt * inverse), 1, kTolerance);
  EXPECT_NEAR((parabolas - without_text) / (tilt * inverse), 1, 2 * kTolerance);
  // One size: what all share, the arm's level, its tilt at the sizes' mean square of x, its own.
  double square = 0;
  for (int i = 0; i < 8; ++i) square += std::pow(std::log(10.0) * (2.0 * i / 7 - 1), 2) / 8;
  const WindowNoise& k = kTilted;
  const double one = k.common * k.common + k.level * k.level + square * tilt + k.own * k.own;
  EXPECT_NEAR(equal_sizes / (one * inverse), 1, 2 * kTolerance);
}

TEST(TextError, CrossingsAreCoveredOnBothSidesOfTheCentre) {
  // The text's covariance narrows the set on one side and widens it on the other: with its sign
  // turned one of the two would cover far too seldom.
  for (const double place : {-1.5, 1.5}) {
    std::mt19937_64 random(4);
    int covered = 0, covered_without_text = 0;
    for (int i = 0; i < kSimulations; ++i) {
      const WindowDraws text = draw_text(kTilted, random);
      std::vector<ArmLaws> arms = {
          draw_arm({.slope = .3, .ln_loss = 1 + .1 * place}, kTilted, text, 1, "a", random),
          draw_arm({.slope = .2}, kTilted, text, 0, "b", random)};
      fit_ladders(arms);
      const double truth = std::exp(kLadderCentre + place);
      for (int* count : {&covered, &covered_without_text}) {
        Comparison c;
        compare_slopes(arms[0], arms[1], true, c);
        ASSERT_EQ(c.crossing.kind, CrossingSet::Kind::kInterval);
        *count += c.crossing.low <= truth && truth <= c.crossing.high;
        for (ArmLaws& arm : arms) arm.windows.clear();
      }
    }
    EXPECT_GE(covered, .95 * kSimulations - 4 * std::sqrt(.95 * .05 * kSimulations)) << place;
    EXPECT_LE(covered_without_text, .85 * kSimulations) << place;
  }
}

}  // namespace
}  // namespace scalelaw
