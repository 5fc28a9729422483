// Against a model whose answer is known. How often intervals hold it: tests/analysis/
// noise_scale_coverage_test.cpp.
#include "trainer/noise_scale.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "tests/trainer/known_noise.h"

namespace scalelaw {
namespace {

constexpr double kBatch = KnownNoise::kBatch, kSmall = KnownNoise::kSmall;

TEST(NoiseScale, ExpectedNormsOfTwoBatchesGiveBackGradientAndNoise) {
  const double gradient = 4, noise = 100;
  const NoiseMoments moments = noise_moments(std::sqrt(gradient + noise / kBatch), kBatch,
                                             std::sqrt(gradient + noise / kSmall), kSmall);
  EXPECT_NEAR(moments.grad_sq_norm, gradient, 1e-12);
  EXPECT_NEAR(moments.grad_noise_tokens, noise, 1e-9);
  EXPECT_NEAR(noise_scale_tokens(moments).value(), 25, 1e-9);
}

TEST(NoiseScale, BothMeansAreUnbiasedAndTheirRatioIsTheKnownOne) {
  constexpr int kCount = 4000;
  const auto series = KnownNoise(1).series(kCount);
  const NoiseScale scale = noise_scale(series).value();
  double gradient_variance = 0, noise_variance = 0;
  for (const NoiseMoments& one : series) {
    gradient_variance += std::pow(one.grad_sq_norm - scale.grad_sq_norm, 2) / kCount;
    noise_variance += std::pow(one.grad_noise_tokens - scale.grad_noise_tokens, 2) / kCount;
  }
  EXPECT_EQ(scale.measurements, kCount);
  EXPECT_NEAR(scale.grad_sq_norm, KnownNoise::grad_sq_norm(),
              3 * std::sqrt(gradient_variance / kCount));
  EXPECT_NEAR(scale.grad_noise_tokens, KnownNoise::grad_noise_tokens(),
              3 * std::sqrt(noise_variance / kCount));
  EXPECT_NEAR(scale.tokens.value(), KnownNoise::scale_tokens(), 0.06 * KnownNoise::scale_tokens());
  EXPECT_LT(scale.tokens_low.value(), KnownNoise::scale_tokens());
  EXPECT_GT(scale.tokens_high.value(), KnownNoise::scale_tokens());
}

// By hand: five blocks of four, means 1 and 10, their variances 0.1 and 1, no covariance. With
// t^2 = 7.70865: (1 - 0.770865) x^2 - 20 x + (100 - 7.70865) = 0.
TEST(NoiseScale, TheIntervalIsFiellersOfBlocksOfNeighbours) {
  const double by = std::sqrt(10.0);
  std::vector<NoiseMoments> series;
  for (const NoiseMoments& block :
       std::vector<NoiseMoments>{{2, 10}, {0, 10}, {1, 10}, {1, 10 + by}, {1, 10 - by}}) {
    series.insert(series.end(), 2, {block.grad_sq_norm + 0.5, block.grad_noise_tokens - 3});
    series.insert(series.end(), 2, {block.grad_sq_norm - 0.5, block.grad_noise_tokens + 3});
  }
  const NoiseScale scale = noise_scale(series).value();
  EXPECT_NEAR(scale.tokens.value(), 10, 1e-12);
  EXPECT_NEAR(scale.tokens_low.value(), 4.888337, 1e-6);
  EXPECT_NEAR(scale.tokens_high.value(), 82.396354, 1e-5);
}

// Neighbours in training are alike: 25 entries at a time are.
TEST(NoiseScale, BlocksWidenTheIntervalOfASeriesWhoseNeighboursAreAlike) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  double alike_width = 0, mixed_width = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::vector<NoiseMoments> alike;
    for (int group = 0; group < 40; ++group) {
      const double noise = 100 + 20 * normal(random);
      alike.insert(alike.end(), 25, NoiseMoments{1, noise});
    }
    std::vector<NoiseMoments> mixed = alike;
    std::ranges::shuffle(mixed, random);
    const NoiseScale a = noise_scale(alike).value(), b = noise_scale(mixed).value();
    EXPECT_NEAR(a.tokens.value(), b.tokens.value(), 1e-9);
    alike_width += *a.tokens_high - *a.tokens_low;
    mixed_width += *b.tokens_high - *b.tokens_low;
  }
  EXPECT_GT(alike_width, 3 * mixed_width);  // the square root of 25 in the long run
}

TEST(NoiseScale, WhereTheGradientCannotBeToldFromNothingThereIsNoNumber) {
  EXPECT_EQ(noise_scale_tokens({0, 5}), std::nullopt);
  EXPECT_EQ(noise_scale_tokens({-1, 5}), std::nullopt);
  EXPECT_EQ(noise_scale_tokens({NAN, 5}), std::nullopt);
  std::vector<NoiseMoments> unclear, negative;
  for (int i = 0; i < 40; ++i) {
    unclear.push_back({i % 3 == 0 ? 1 : -0.6, 5});
    negative.push_back({i % 2 == 0 ? 1 : -1.1, 5});
  }
  const NoiseScale scale = noise_scale(unclear).value();
  EXPECT_LT(scale.grad_sq_norm, 0);
  EXPECT_EQ(scale.tokens, std::nullopt);
  EXPECT_EQ(scale.tokens_high, std::nullopt);
  EXPECT_GT(scale.tokens_low.value(), 0) << "it is bounded from below";
  const NoiseScale none = noise_scale(negative).value();
  EXPECT_EQ(none.tokens_low, std::nullopt);
  EXPECT_EQ(none.tokens_high, std::nullopt);
}

TEST(NoiseScale, FewEntriesHaveNoIntervalAndNoneNoNumber) {
  EXPECT_FALSE(noise_scale({}).has_value());
  const NoiseScale few = noise_scale(KnownNoise(1).series(kFewestForInterval - 1)).value();
  EXPECT_EQ(few.tokens_low, std::nullopt);
  EXPECT_EQ(few.tokens_high, std::nullopt);
}

TEST(NoiseScale, LinesCountByTheirMeasurementsAndFromTheStepOn) {
  const auto row = [](int64_t step, double gradient, double noise, int64_t measurements) {
    MetricsRow line;
    line.step = step;
    line.grad_sq_norm = gradient;
    line.grad_noise_tokens = noise;
    line.noise_measurements = measurements;
    return line;
  };
  MetricsRow unmeasured;
  unmeasured.step = 25;
  const NoiseScale scale =
      noise_scale_after(10, {row(10, 99, 99, 9), row(20, 1, 10, 1), unmeasured, row(30, 3, 40, 3)})
          .value();
  EXPECT_EQ(scale.measurements, 4);
  EXPECT_DOUBLE_EQ(scale.grad_sq_norm, 2.5);
  EXPECT_DOUBLE_EQ(scale.grad_noise_tokens, 32.5);
  EXPECT_DOUBLE_EQ(scale.tokens.value(), 13);
  EXPECT_FALSE(noise_scale_after(30, {row(30, 1, 1, 1)}).has_value());
}

TEST(NoiseScale, OneBatchSizeIsRefused) {
  EXPECT_THROW(noise_moments(1, 128, 1, 128), std::invalid_argument);
  EXPECT_THROW(noise_moments(1, 128, 1, 0), std::invalid_argument);
}

}  // namespace
}  // namespace scalelaw
