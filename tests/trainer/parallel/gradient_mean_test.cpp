// Sums that start during backward are those that start after it.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/models/model_fixture.h"
#include "tests/support/rank_processes.h"
#include "tests/support/temp_dir.h"
#include "trainer/parallel/gradient_mean.h"

namespace scalelaw {
namespace {

constexpr int kRanks = 4;
constexpr int kSteps = 3;
const GradientMeanOptions kSmallBuckets = {500, true};
const GradientMeanOptions kAfterBackward = {500, false};

ModelShape shape_of(const std::string& arch, EmbeddingTying tying) {
  ModelShape shape = small_shape(arch, 2, 16);
  shape.embeddings = tying;
  return shape;
}

struct Summed {
  at::Tensor gradients, loss;
};

Summed step(const BuiltModel& built, const Windows& windows, GradientMean& mean) {
  built.arena->zero_gradients();
  const at::Tensor loss =
      built.model->training_loss(windows.tokens, windows.targets) * mean.share();
  mean.begin_last_backward();
  loss.sum().backward();
  Summed summed{{}, loss.detach().clone()};
  mean.finish(summed.loss);
  summed.gradients = built.arena->gradients().clone();
  return summed;
}

class Overlap : public testing::TestWithParam<std::tuple<std::string, EmbeddingTying>> {
 protected:
  TempDir temp_;
};
INSTANTIATE_TEST_SUITE_P(Models, Overlap,
                         testing::Combine(testing::Values("transformer", "lstm"),
                                          testing::Values(EmbeddingTying::kTied,
                                                          EmbeddingTying::kUntied)));

TEST_P(Overlap, ChangesNoBitAndSendsAllButTheLastBucketsEarly) {
  const auto [arch, tying] = GetParam();
  const auto ends = run_ranks(kRanks, temp_.path(), [&](RankGroup& group) {
    const BuiltModel built = build(shape_of(arch, tying), 1, 1, {});
    GradientMean early(group, *built.arena, kSmallBuckets);
    GradientMean late(group, *built.arena, kAfterBackward);
    ASSERT_GT(early.buckets(), 3u);
    for (int i = 0; i < kSteps; ++i) {
      const Windows windows =
          random_windows(built.model->shape(), 1, 2, 16, 100 * i + group.rank());
      const Summed a = step(built, windows, early), b = step(built, windows, late);
      EXPECT_TRUE(at::equal(a.gradients, b.gradients)) << "step " << i;
      EXPECT_TRUE(at::equal(a.loss, b.loss));
      EXPECT_EQ(early.sent_early(), i == 0 ? 0u : early.buckets());
      EXPECT_EQ(late.sent_early(), 0u);
    }
  });
  EXPECT_EQ(ends, std::vector<int>(kRanks, 0));
}

TEST_P(Overlap, PlainOperatorsSayNothingAndAreSummedAllTheSame) {
  const auto [arch, tying] = GetParam();
  const auto ends = run_ranks(2, temp_.path(), [&](RankGroup& group) {
    Execution plain;
    plain.plain_operators = true;
    const BuiltModel built = build(shape_of(arch, tying), 1, 1, plain);
    GradientMean early(group, *built.arena, kSmallBuckets);
    GradientMean late(group, *built.arena, kAfterBackward);
    for (int i = 0; i < kSteps; ++i) {
      const Windows windows =
          random_windows(built.model->shape(), 1, 2, 16, 100 * i + group.rank());
      EXPECT_TRUE(
          at::equal(step(built, windows, early).gradients, step(built, windows, late).gradients));
      EXPECT_EQ(early.sent_early(), 0u);
    }
  });
  EXPECT_EQ(ends, std::vector<int>(2, 0));
}

// As a kernel would that forgets to say so.
TEST(GradientMean, AWriteThatNobodyIsToldOfHoldsItsBucketBack) {
  const TempDir temp;
  const auto ends = run_ranks(2, temp.path(), [](RankGroup& group) {
    ParameterArena arena;
    const Parameter silent =
        arena.declare("silent", {600}, ParameterGroup::kMlp, Init::constant(0));
    const Parameter told = arena.declare("told", {600}, ParameterGroup::kMlp, Init::constant(0));
    arena.allocate(1, at::kCPU);
    GradientMean mean(group, arena, kSmallBuckets);
    ASSERT_EQ(mean.buckets(), 2u);
    for (int i = 0; i < kSteps; ++i) {
      arena.zero_gradients();
      mean.begin_last_backward();
      told.gradient().add_(1);
      gradient_written(told.gradient());
      silent.gradient().add_(2);
      gradient_written(silent.gradient());
      silent.gradient().add_(3);
      const at::Tensor loss = at::full({1}, 0.5, at::kFloat);
      mean.finish(loss);
      EXPECT_EQ(loss.item<float>(), 1.0f);
      EXPECT_TRUE(at::equal(told.gradient(), at::full({1, 600}, 2, at::kFloat)));
      EXPECT_TRUE(at::equal(silent.gradient(), at::full({1, 600}, 10, at::kFloat)));
      EXPECT_EQ(mean.sent_early(), i == 0 ? 0u : 1u);
    }
  });
  EXPECT_EQ(ends, std::vector<int>(2, 0));
}

}  // namespace
}  // namespace scalelaw
