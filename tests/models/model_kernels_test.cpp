#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "models/kernels/cross_entropy.h"
#include "models/kernels/gelu.h"
#include "models/kernels/layer_norm.h"
#include "models/kernels/softmax.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

template <typename Ours, typename Exact>
double worst_relative_error(Ours ours, Exact exact, double low, double high) {
  double worst = 0;
  const int n_points = 200'000;
  for (int i = 0; i <= n_points; ++i) {
    const auto x = static_cast<float>(low + (high - low) * i / n_points);
    const double truth = exact(static_cast<double>(x));
    if (truth == 0) continue;
    worst = std::max(worst, std::abs(ours(x) - truth) / std::abs(truth));
  }
  return worst;
}

TEST(VectorMath, RelativeErrorsAreAsStated) {
  // Not the functions themselves: what is always inlined has no address.
  const auto our_exp = [](float x) { return vector_math::exp(x); };
  const auto our_sigmoid = [](float x) { return vector_math::sigmoid(x); };
  const auto our_tanh = [](float x) { return vector_math::tanh(x); };
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto exact_exp = [](double x) { return std::exp(x); };
  const auto exact_tanh = [](double x) { return std::tanh(x); };
  EXPECT_LT(worst_relative_error(our_exp, exact_exp, -87, 88), 2e-7);
  EXPECT_LT(worst_relative_error(our_sigmoid, sigmoid, -80, 80), 4e-7);
  EXPECT_LT(worst_relative_error(our_tanh, exact_tanh, -20, 20), 5e-7);
  EXPECT_LT(worst_relative_error(our_tanh, exact_tanh, -1e-3, 1e-3), 5e-7);
}

TEST(VectorMath, EndsAreFiniteAndNaNStaysNaN) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isfinite(vector_math::exp(infinity)));
  EXPECT_LT(vector_math::exp(-infinity), 2e-38f);
  EXPECT_FLOAT_EQ(vector_math::tanh(infinity), 1.0f);
  EXPECT_FLOAT_EQ(vector_math::sigmoid(infinity), 1.0f);
  EXPECT_NEAR(vector_math::sigmoid(-infinity), 0.0f, 1e-37);
  EXPECT_TRUE(std::isnan(vector_math::exp(nan)));
  EXPECT_TRUE(std::isnan(vector_math::tanh(nan)));
  EXPECT_TRUE(std::isnan(vector_math::sigmoid(nan)));
}

TEST(CrossEntropyRows, LossAndGradientAreThoseOfSoftmax) {
  for (const int64_t vocabulary : {1, 2, 31, 32, 33, 257}) {
    std::vector<float> logits;
    for (int64_t v = 0; v < vocabulary; ++v) {
      logits.push_back(30.0f * std::sin(static_cast<float>(v * v + 1)));
    }
    const int64_t target = vocabulary / 2;
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    std::vector<float> gradient = logits;
    float loss = 0, loss_alone = 0;
    cross_entropy_rows(1, vocabulary, logits.data(), &target, 0.0f, &loss_alone, nullptr);
    cross_entropy_rows(1, vocabulary, gradient.data(), &target, 0.25f, &loss, nullptr);
    EXPECT_NEAR(loss, std::log(sum) - logits[target], 1e-5);
    EXPECT_NEAR(loss, loss_alone, 1e-5);
    for (int64_t v = 0; v < vocabulary; ++v) {
      const double probability = std::exp(static_cast<double>(logits[v])) / sum;
      EXPECT_NEAR(gradient[v], 0.25 * (probability - (v == target ? 1 : 0)), 1e-7);
    }
  }
}

TEST(CrossEntropyRows, CorrectMeansTheFirstLargestLogit) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> logits = {1, 3, 3, 1, 3, 3, 0, 0, 0, nan, nan, nan, 1, nan, 0};
  // first, second of two equals; first; NaN; the largest beside NaN
  const std::vector<int64_t> targets = {1, 2, 0, 0, 0};
  std::vector<float> loss(5);
  bool correct[5];
  cross_entropy_rows(5, 3, logits.data(), targets.data(), 0.0f, loss.data(), correct);
  EXPECT_TRUE(correct[0]);
  EXPECT_FALSE(correct[1]);
  EXPECT_TRUE(correct[2]);
  EXPECT_FALSE(correct[3]);
  EXPECT_FALSE(correct[4]);
  EXPECT_TRUE(std::isnan(loss[3]));
}

TEST(CrossEntropyRows, NonFiniteLogitsGiveANonFiniteLoss) {
  std::vector<float> logits = {0, std::numeric_limits<float>::infinity(), 0};
  const int64_t target = 0;
  float loss = 0;
  cross_entropy_rows(1, 3, logits.data(), &target, 1.0f, &loss, nullptr);
  EXPECT_FALSE(std::isfinite(loss));
}

TEST(GeluRows, EndsAreThoseOfTheFunctionAndNaNStaysNaN) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {-1e19f, -100.0f, -20.0f, 20.0f, 1e10f, infinity, nan};
  const auto size = static_cast<int64_t>(x.size());
  std::vector<float> slope(x.size()), y(x.size());
  bias_gelu_forward(1, size, x.data(), nullptr, slope.data(), y.data());
  for (const size_t i : {0, 1, 2}) {
    EXPECT_NEAR(y[i], 0, 1e-30) << x[i];
    EXPECT_NEAR(slope[i], 0, 1e-30) << x[i];
  }
  for (const size_t i : {3, 4}) {
    EXPECT_FLOAT_EQ(y[i], x[i]);
    EXPECT_FLOAT_EQ(slope[i], 1.0f);
  }
  EXPECT_EQ(y[5], infinity);
  EXPECT_TRUE(std::isnan(y[6]));
  EXPECT_TRUE(std::isnan(slope[6]));
}

TEST(NormRows, NaNStaysInItsRow) {
  constexpr int64_t kRows = 3, kWidth = 40;
  std::vector<float> x(kRows * kWidth), gain(kWidth, 1.0f), normed(x.size()), moments(2 * kRows);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  x[kWidth + 7] = std::numeric_limits<float>::quiet_NaN();
  norm_forward(kRows, kWidth, 1e-5f, x.data(), nullptr, gain.data(), nullptr, nullptr,
               normed.data(), moments.data());
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(std::isnan(normed[i]), i / kWidth == 1) << i;
  }
}

TEST(CausalExponentials, MaskedScoresAreZeroAndNaNStaysWithItsQuery) {
  constexpr int64_t kKeys = 5, kQueries = 3, kFirst = 2;  // queries 2, 3, 4
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> scores(kKeys * kQueries, 0.5f), sum(kQueries), log_sum(kQueries);
  scores[3 * kQueries + 0] = nan;  // key 3 is masked for query 2
  scores[1 * kQueries + 1] = nan;  // key 1 is seen by query 3
  causal_exponentials(kKeys, kQueries, kFirst, 2.0f, {scores.data(), kQueries}, sum.data(),
                      log_sum.data());
  EXPECT_FLOAT_EQ(sum[0], 3);  // equal scores: each exp(0)
  EXPECT_TRUE(std::isnan(sum[1]));
  EXPECT_TRUE(std::isnan(log_sum[1]));
  EXPECT_FLOAT_EQ(sum[2], 5);
  EXPECT_FLOAT_EQ(log_sum[2], std::log(5.0f) + 2.0f * 0.5f);
  for (const int64_t key : {3, 4}) EXPECT_EQ(scores[static_cast<size_t>(key * kQueries)], 0);
  EXPECT_EQ(scores[4 * kQueries + 1], 0);
}

}  // namespace
}  // namespace scalelaw
