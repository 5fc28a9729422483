#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "models/kernels/cross_entropy.h"
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
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto exact_exp = [](double x) { return std::exp(x); };
  const auto exact_tanh = [](double x) { return std::tanh(x); };
  EXPECT_LT(worst_relative_error(vector_math::exp, exact_exp, -87, 88), 2e-7);
  EXPECT_LT(worst_relative_error(vector_math::sigmoid, sigmoid, -80, 80), 4e-7);
  EXPECT_LT(worst_relative_error(vector_math::tanh, exact_tanh, -20, 20), 5e-7);
  EXPECT_LT(worst_relative_error(vector_math::tanh, exact_tanh, -1e-3, 1e-3), 5e-7);
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
  std::vector<float> logits = {1, 3, 3, 1, 3, 3, 0, 0, 0, nan, nan, nan};
  const std::vector<int64_t> targets = {1, 2, 0, 0};  // first, second of two equals; first; NaN
  std::vector<float> loss(4);
  bool correct[4];
  cross_entropy_rows(4, 3, logits.data(), targets.data(), 0.0f, loss.data(), correct);
  EXPECT_TRUE(correct[0]);
  EXPECT_FALSE(correct[1]);
  EXPECT_TRUE(correct[2]);
  EXPECT_FALSE(correct[3]);
  EXPECT_TRUE(std::isnan(loss[3]));
}

TEST(CrossEntropyRows, NonFiniteLogitsGiveANonFiniteLoss) {
  std::vector<float> logits = {0, std::numeric_limits<float>::infinity(), 0};
  const int64_t target = 0;
  float loss = 0;
  cross_entropy_rows(1, 3, logits.data(), &target, 1.0f, &loss, nullptr);
  EXPECT_FALSE(std::isfinite(loss));
}

}  // namespace
}  // namespace scalelaw
