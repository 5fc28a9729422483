#include "trainer/evaluate.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "tests/trainer/evaluate_fixture.h"
#include "trainer/data/batch_stream.h"
#include "trainer/data/token_shard_writer.h"
#include "trainer/evaluation_steps.h"

namespace scalelaw {
namespace {

// The slow twin: one window at a time through plain operators, kept by window and position.
struct PlainScores {
  std::vector<std::vector<double>> loss;  // [window][position]
  double correct = 0;                     // share
};

PlainScores plain_scores(const LanguageModel& model, const TokenShard& shard, int64_t replica) {
  const at::NoGradGuard no_grad;
  PlainScores scores;
  for (const int64_t start : evaluation_starts(shard.info().n_tokens, kContext, kTokens)) {
    std::vector<int64_t> tokens(kContext + 1);
    shard.copy(start, tokens);
    const at::Tensor window = at::tensor(tokens, at::kLong).expand({kReplicas, 1, kContext + 1});
    const at::Tensor logits =
        model.logits(window.narrow(2, 0, kContext).contiguous())[replica][0].to(at::kDouble);
    const at::Tensor log_p = at::log_softmax(logits, -1), best = at::argmax(logits, -1);
    std::vector<double> losses;
    for (int64_t t = 0; t < kContext; ++t) {
      const int64_t target = tokens[static_cast<std::size_t>(t) + 1];
      losses.push_back(-log_p[t][target].item<double>());
      scores.correct += best[t].item<int64_t>() == target ? 1.0 / kTokens : 0.0;
    }
    scores.loss.push_back(losses);
  }
  return scores;
}

// Mean over windows of each window's mean over positions first..last, and its standard error.
std::pair<double, double> mean_and_error(const PlainScores& scores, std::size_t first,
                                         std::size_t last) {
  std::vector<double> windows;
  for (const auto& losses : scores.loss) {
    double sum = 0;
    for (std::size_t t = first; t <= last; ++t) sum += losses[t];
    windows.push_back(sum / static_cast<double>(last - first + 1));
  }
  const auto n = static_cast<double>(windows.size());
  double mean = 0, variance = 0;
  for (const double w : windows) mean += w / n;
  for (const double w : windows) variance += (w - mean) * (w - mean) / (n - 1);
  return {mean, std::sqrt(variance / n)};
}

INSTANTIATE_TEST_SUITE_P(Architectures, EvaluateTest, testing::Values("transformer", "lstm"));

// 40 windows of the curve are less than the device's chunk of 64, 75 of the final evaluation more.
TEST_P(EvaluateTest, ScoresOnTheDeviceEqualThoseTheHostAsksForChunkByChunk) {
  constexpr int64_t kCurveTokens = 40 * kContext;
  const auto one = alone();
  const auto whole = score_test_set(evaluator(*one), *set_, false);
  const auto curve = mean_test_loss(evaluator(*one), *set_, kCurveTokens);
  const auto on_device = make_device_scores(evaluator(*one), *set_, kCurveTokens);
  Evaluator there = evaluator(*one);
  there.on_device = on_device.get();
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(mean_test_loss(there, *set_, kCurveTokens), curve);
    expect_equal(score_test_set(there, *set_, false), whole);
  }
  EXPECT_NE(on_device->capture().find("need a GPU"), std::string::npos);
  EXPECT_EQ(mean_test_loss(there, *set_, kCurveTokens), curve);
}

TEST_P(EvaluateTest, ASetWhoseTextBytesAreNotKnownHasNoBitsPerByteAndTheSameLoss) {
  const auto ranks = alone();
  const auto known = score_test_set(evaluator(*ranks), *set_, false);
  std::vector<int64_t> ids(static_cast<std::size_t>(set_->shard.info().n_tokens));
  set_->shard.copy(0, ids);
  TokenShardInfo info = set_->shard.info();
  info.text_bytes = 0;
  const auto file = temp_.path() / "imported.tokens";
  write_token_shard(file, std::vector<uint32_t>(ids.begin(), ids.end()), info);
  const TestSet imported{"imported", TokenShard(file), kTokens};
  const auto unknown = score_test_set(evaluator(*ranks), imported, false);
  expect_equal(unknown, known);
  EXPECT_TRUE(std::isfinite(known[0].result.bits_per_byte));
  EXPECT_TRUE(std::isnan(unknown[0].result.bits_per_byte));
  EXPECT_EQ(known[0].result.text_bytes, set_->shard.info().text_bytes);
  EXPECT_EQ(unknown[0].result.text_bytes, std::nullopt);
  EXPECT_EQ(unknown[0].result.split_tokens, info.n_tokens);
}

// A capture goes through twelve chunks itself.
TEST_P(EvaluateTest, CapturePaysWhereASetHasManyChunks) {
  const std::vector<int64_t> starts = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const auto pays = [&](int64_t chunk_windows) {
    return DeviceScores(*model_, kReplicas, device_, set_->shard, starts, chunk_windows)
        .capture_pays();
  };
  EXPECT_TRUE(pays(1));
  EXPECT_FALSE(pays(2));
}

TEST_P(EvaluateTest, ScoresEqualPlainOperatorsWindowByWindow) {
  const auto ranks = alone();
  const std::vector<WindowScores> seen = score_test_set(evaluator(*ranks), *set_, false);
  const std::vector<double> quick = mean_test_loss(evaluator(*ranks), *set_, kTokens);
  ASSERT_EQ(seen.size(), 2U);
  for (std::size_t r = 0; r < seen.size(); ++r) {
    const TestResult& result = seen[r].result;
    const PlainScores plain = plain_scores(*model_, set_->shard, static_cast<int64_t>(r));
    const auto [mean, error] = mean_and_error(plain, 0, kContext - 1);
    EXPECT_NEAR(result.loss_nats, mean, 1e-6);
    EXPECT_NEAR(quick[r], mean, 1e-6);
    EXPECT_NEAR(result.standard_error_nats, error, 1e-6);
    EXPECT_NEAR(result.bits_per_byte, mean / std::log(2.0) / 2, 1e-6);
    EXPECT_NEAR(result.top1_accuracy, plain.correct, 1e-9);
    EXPECT_EQ(result.windows, kTokens / kContext);
    EXPECT_EQ(result.tokens, kTokens);
    ASSERT_EQ(seen[r].window_loss_nats.size(), plain.loss.size());
    EXPECT_NEAR(seen[r].window_loss_nats.back(),
                mean_and_error({{plain.loss.back(), plain.loss.back()}, 0}, 0, kContext - 1).first,
                1e-6);
    ASSERT_EQ(result.by_position.size(), 4U);
    for (const auto& bin : result.by_position) {
      const auto [bin_mean, bin_error] = mean_and_error(plain, static_cast<std::size_t>(bin.first),
                                                        static_cast<std::size_t>(bin.last));
      EXPECT_NEAR(bin.loss_nats, bin_mean, 1e-6);
      EXPECT_NEAR(bin.standard_error_nats, bin_error, 1e-6);
    }
  }
  EXPECT_GT(std::abs(seen[0].result.loss_nats - seen[1].result.loss_nats), 1e-4);
}

TEST(Evaluate, PositionBinsDoubleAndCoverTheWindow) {
  using Bins = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(position_bins(1), (Bins{{0, 0}}));
  EXPECT_EQ(position_bins(8), (Bins{{0, 0}, {1, 1}, {2, 3}, {4, 7}}));
  EXPECT_EQ(position_bins(10), (Bins{{0, 0}, {1, 1}, {2, 3}, {4, 7}, {8, 9}}));
}

TEST(Evaluate, StepsAreLogSpacedWithoutRepeatsAndBeforeTheEnd) {
  EXPECT_EQ(evaluation_steps(2, 40), (std::vector<int64_t>{1, 3, 10, 32}));
  EXPECT_EQ(evaluation_steps(0, 40), std::vector<int64_t>{});
  const auto dense = evaluation_steps(8, 100);
  EXPECT_EQ(dense.front(), 1);
  EXPECT_LT(dense.back(), 100);
  for (std::size_t i = 1; i < dense.size(); ++i) EXPECT_LT(dense[i - 1], dense[i]);
  EXPECT_EQ(evaluation_steps(1e15, 5), (std::vector<int64_t>{1, 2, 3, 4}));  // and at once
}

}  // namespace
}  // namespace scalelaw
