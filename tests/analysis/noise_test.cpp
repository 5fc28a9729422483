// Errors of means over windows, seed noise, and the weights of cells.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/arm_laws.h"
#include "analysis/block_error.h"

namespace scalelaw {
namespace {

// Windows of documents: each has a difficulty that its windows share. Lengths are uniform on
// [1, longest].
std::vector<double> documents(std::mt19937_64& random, int windows, int longest, double shared_sd) {
  std::normal_distribution<double> normal;
  std::uniform_int_distribution<int> length(1, longest);
  std::vector<double> series;
  while (static_cast<int>(series.size()) < windows) {
    const double own = shared_sd * normal(random);
    for (int i = length(random); i > 0 && static_cast<int>(series.size()) < windows; --i) {
      series.push_back(own + normal(random));
    }
  }
  return series;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double naive_variance_of_mean(const std::vector<double>& values) {
  const double centre = mean(values);
  double sum = 0;
  for (const double v : values) sum += (v - centre) * (v - centre);
  const double n = static_cast<double>(values.size());
  return sum / (n - 1) / n;
}

struct Errors {
  double true_variance = 0, block = 0, naive = 0;
};

Errors errors_of(int longest, double shared_sd, unsigned seed) {
  std::mt19937_64 random(seed);
  constexpr int kSimulations = 2000;
  Errors e;
  for (int i = 0; i < kSimulations; ++i) {
    const std::vector<double> series = documents(random, 1024, longest, shared_sd);
    e.true_variance += mean(series) * mean(series) / kSimulations;
    e.block += *block_variance_of_mean(series) / kSimulations;
    e.naive += naive_variance_of_mean(series) / kSimulations;
  }
  return e;
}

// The simulated variances' own relative sd: sqrt(2/2000) = .032 for the truth, .008 for the blocks.
TEST(BlockErrors, AreRightForIndependentWindows) {
  const Errors e = errors_of(1, .7, 1);
  EXPECT_NEAR(e.block / e.true_variance, 1, .13);
  EXPECT_NEAR(e.naive / e.true_variance, 1, .13);
}

TEST(BlockErrors, AreRightWhereDocumentsSpanWindowsAndTheNaiveOnesAreNot) {
  // Lengths 1 to 20: a window's document has 13.67 windows on average, so that the variance of the
  // mean is (1 + .49 x 13.67) / 1.49 = 5.2 times the naive one. Blocks of 64 lose .07 of it.
  const Errors e = errors_of(20, .7, 2);
  EXPECT_NEAR(e.true_variance / e.naive, 5.2, .7);
  EXPECT_NEAR(e.block / e.true_variance, .93, .13);
}

TEST(BlockErrors, NeedWindowsAndKeepToTheirSeries) {
  EXPECT_FALSE(block_variance_of_mean(std::vector<double>(kFewestWindowsForBlocks - 1, 1.0)));
  std::mt19937_64 random(3);
  const std::vector<double> a = documents(random, 1000, 5, .5);
  std::vector<double> negative;
  for (const double v : a) negative.push_back(-v);
  EXPECT_DOUBLE_EQ(*block_covariance_of_means(a, negative), -*block_variance_of_mean(a));
}

SizeCell cell(double n, std::vector<double> ln_losses, const std::string& recipe) {
  SizeCell c;
  c.n = n;
  c.ln_losses = std::move(ln_losses);
  c.recipe_hash = recipe;
  for (std::size_t i = 0; i < c.ln_losses.size(); ++i) {
    c.content_hash.push_back(recipe + std::to_string(i));
    c.mean_ln_loss += c.ln_losses[i] / c.seeds();
  }
  return c;
}

TEST(SeedNoise, ACellThatTwoArmsShareCountsOnce) {
  const std::vector<SizeCell> a = {cell(1e3, {1.00, 1.02}, "shared"), cell(1e4, {.8}, "a")};
  const std::vector<SizeCell> b = {cell(1e3, {1.00, 1.02}, "shared"), cell(1e4, {.7, .76}, "b")};
  const SeedNoise noise = pooled_seed_noise({a, b});
  EXPECT_EQ(noise.df, 2);
  EXPECT_NEAR(noise.sd_ln_loss, std::sqrt((.0002 + .0018) / 2), 1e-12);
}

TEST(SeedNoise, RunsOfOneRecipeInTwoArmsArePooledAsOneSize) {
  SizeCell one = cell(1e3, {1.00, 1.02}, "r"), other = cell(1e3, {1.02, 1.04}, "r");
  other.content_hash = {"r1", "r2"};  // its first run is the second of `one`
  const SeedNoise noise = pooled_seed_noise({{one}, {other}});
  EXPECT_EQ(noise.df, 2);
  EXPECT_NEAR(noise.sd_ln_loss, .02, 1e-12);
}

TEST(CellWeights, FollowTheNumberOfSeedsWhereSeedsAreTheNoise) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  std::vector<std::vector<SizeCell>> arms(1);
  for (int i = 0; i < 60; ++i) {  // many, so that the estimate is close
    std::vector<double> values;
    for (int seed = 0; seed < (i % 2 == 0 ? 1 : 4); ++seed) {
      values.push_back(2 - .1 * i + .01 * normal(random));
    }
    arms[0].push_back(cell(1e3 * std::exp(i), values, std::to_string(i)));
  }
  const CellNoise noise = weigh_cells(arms);
  EXPECT_NEAR(noise.seed.sd_ln_loss, .01, .002);
  EXPECT_LT(noise.size_sd, .004);
  EXPECT_NEAR(arms[0][0].variance / arms[0][1].variance, 4, 1.2);
}

TEST(CellWeights, AreNearlyEqualWhereSizesAreTheNoise) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::vector<std::vector<SizeCell>> arms(1);
  for (int i = 0; i < 60; ++i) {
    std::vector<double> values;
    const double of_size = .02 * normal(random);
    for (int seed = 0; seed < (i % 2 == 0 ? 1 : 4); ++seed) {
      values.push_back(2 - .1 * i + of_size + .002 * normal(random));
    }
    arms[0].push_back(cell(1e3 * std::exp(i), values, std::to_string(i)));
  }
  EXPECT_NEAR(weigh_cells(arms).size_sd, .02, .006);
  EXPECT_NEAR(arms[0][0].variance / arms[0][1].variance, 1, .02);
}

TEST(CellWeights, EqualSeedsGiveTheUnweightedLine) {
  std::vector<std::vector<SizeCell>> arms(1);
  const std::vector<double> y = {2.0, 1.91, 1.78, 1.71, 1.6};
  for (std::size_t i = 0; i < y.size(); ++i) {
    arms[0].push_back(
        cell(std::exp(static_cast<double>(i)), {y[i] - .01, y[i] + .01}, std::to_string(i)));
  }
  weigh_cells(arms);
  const PowerLawFit fit = fit_line_of(arms[0], {}, .95);
  EXPECT_NEAR(fit.slope, .1, 1e-12);  // sum of (i - 2) y over 10
  // Residuals 0, .01, -.02, .01, 0; variance .0006 / 3 over sum of squares 10.
  EXPECT_NEAR(fit.slope_standard_error, std::sqrt(.0006 / 3 / 10), 1e-12);
  EXPECT_NEAR(fit.residual_sd, std::sqrt(.0006 / 3), 1e-12);
}

}  // namespace
}  // namespace scalelaw
