// Against a model whose answer is known: gradients drawn from a normal distribution of a given mean
// and diagonal covariance.
#include "trainer/noise_scale.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

namespace scalelaw {
namespace {

constexpr double kBatch = 1024, kSmall = 128;  // tokens

// Measurements of a model of kParameters: parameter i's gradient has mean 0.1 and, of one token,
// variance i + 1.
class KnownNoise {
 public:
  static constexpr int kParameters = 24;
  explicit KnownNoise(uint64_t seed) : random_(seed) {}

  static double grad_sq_norm() { return kParameters * 0.01; }
  static double grad_noise_tokens() { return kParameters * (kParameters + 1) / 2.0; }
  static double scale_tokens() { return grad_noise_tokens() / grad_sq_norm(); }

  // The small batch is a part of the batch, as in training.
  NoiseMoments measure() {
    const double share = kSmall / kBatch;
    double small = 0, whole = 0;
    for (int i = 0; i < kParameters; ++i) {
      const double part = mean_of(kSmall, i);
      const double all = share * part + (1 - share) * mean_of(kBatch - kSmall, i);
      small += part * part;
      whole += all * all;
    }
    return noise_moments(std::sqrt(whole), kBatch, std::sqrt(small), kSmall);
  }
  std::vector<NoiseMoments> series(int measurements) {
    std::vector<NoiseMoments> all;
    for (int i = 0; i < measurements; ++i) all.push_back(measure());
    return all;
  }

 private:
  double mean_of(double tokens, int i) {
    return 0.1 + std::sqrt((i + 1) / tokens) * normal_(random_);
  }
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

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

// 300 repeats at a true coverage of .95 have a standard deviation of .013; a percentile interval of
// a ratio falls a little short.
TEST(NoiseScale, IntervalsCoverTheTruthAboutAsOftenAsTheySay) {
  constexpr int kRepeats = 300;
  int covered = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto series = KnownNoise(static_cast<uint64_t>(100 + repeat)).series(100);
    const NoiseScale scale = noise_scale(series, {.resamples = 400}).value();
    const double high = scale.tokens_high.value_or(INFINITY);
    covered += scale.tokens_low.value() <= KnownNoise::scale_tokens() &&
               KnownNoise::scale_tokens() <= high;
  }
  RecordProperty("covered", covered);
  EXPECT_GE(covered, 0.89 * kRepeats);
  EXPECT_LE(covered, 0.99 * kRepeats);
}

// Neighbours in training are alike: 25 entries at a time are.
TEST(NoiseScale, BlocksWidenTheIntervalOfASeriesWhoseNeighboursAreAlike) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::vector<NoiseMoments> alike;
  for (int group = 0; group < 40; ++group) {
    const double noise = 100 + 20 * normal(random);
    alike.insert(alike.end(), 25, NoiseMoments{1, noise});
  }
  std::vector<NoiseMoments> mixed = alike;
  std::ranges::shuffle(mixed, random);
  const NoiseScale a = noise_scale(alike).value(), b = noise_scale(mixed).value();
  EXPECT_NEAR(a.tokens.value(), b.tokens.value(), 1e-9);
  EXPECT_GT(*a.tokens_high - *a.tokens_low, 2 * (*b.tokens_high - *b.tokens_low));
}

TEST(NoiseScale, WhereTheGradientCannotBeToldFromNothingThereIsNoNumber) {
  EXPECT_EQ(noise_scale_tokens({0, 5}), std::nullopt);
  EXPECT_EQ(noise_scale_tokens({-1, 5}), std::nullopt);
  EXPECT_EQ(noise_scale_tokens({NAN, 5}), std::nullopt);
  std::vector<NoiseMoments> series;
  for (int i = 0; i < 40; ++i) series.push_back({i % 2 == 0 ? 1.0 : -1.1, 5});
  const NoiseScale scale = noise_scale(series).value();
  EXPECT_LT(scale.grad_sq_norm, 0);
  EXPECT_EQ(scale.tokens, std::nullopt);
  EXPECT_EQ(scale.tokens_high, std::nullopt);
  EXPECT_TRUE(scale.tokens_low.has_value()) << "it is bounded from below";
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
