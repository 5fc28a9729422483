#include "trainer/step.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/randint.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "trainer/noise_scale.h"

namespace scalelaw {
namespace {

struct TinyModel {
  ParameterArena arena;
  std::unique_ptr<LanguageModel> model;
  std::unique_ptr<AdamW> optimizer;

  TinyModel(const std::string& arch, int64_t replicas, int64_t first_seed = 1,
            const Execution& execution = {}) {
    ModelShape shape;
    shape.arch = arch;
    shape.d_model = 16;
    shape.n_head = 2;
    shape.n_ctx = 8;
    shape.n_vocab = 11;
    model = make_model(shape, execution, arena);
    arena.allocate(replicas, at::kCPU);
    for (int64_t r = 0; r < replicas; ++r) arena.initialise(r, first_seed + r);
    optimizer = std::make_unique<AdamW>(
        arena, std::vector<OptimizerConfig>(static_cast<std::size_t>(replicas)));
  }
  StepResult step(const at::Tensor& tokens, int64_t micro_batch_windows,
                  bool measure_small_batch = false) {
    const auto replicas = static_cast<std::size_t>(arena.replicas());
    UpdateRow row;
    row.learning_rate = 0.01;
    return train_step(*model, arena, *optimizer, tokens.narrow(2, 0, 8).contiguous(),
                      tokens.narrow(2, 1, 8).contiguous(), micro_batch_windows,
                      std::vector<double>(replicas, 1.0), std::vector<UpdateRow>(replicas, row),
                      /*over_ranks=*/nullptr, measure_small_batch);
  }
};

at::Tensor random_tokens(int64_t replicas, int64_t windows = 4) {
  return at::randint(11, {replicas, windows, 9}, at::kLong);
}

class StepTest : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Architectures, StepTest, testing::Values("transformer", "lstm"));

TEST_P(StepTest, PoisonedGradientArenaHoldsNoNaNAfterAStep) {
  TinyModel tiny(GetParam(), 3);
  tiny.arena.gradients().detach().fill_(std::numeric_limits<float>::quiet_NaN());
  const StepResult result = tiny.step(random_tokens(3), 4);
  EXPECT_FALSE(at::isnan(tiny.arena.gradients()).any().item<bool>());
  EXPECT_EQ(result.updated, (std::vector<bool>{true, true, true}));
}

// A pack's products may sum in another order than a run's alone; so does the same batch in halves,
// which tells how much that is. A replica that read another's weights or tokens would be off by
// the gradient itself.
TEST_P(StepTest, AReplicasGradientIsThatOfTheSameModelAlone) {
  TinyModel pack(GetParam(), 4);
  const at::Tensor tokens = random_tokens(4);
  const StepResult together = pack.step(tokens, 4);
  double by_packing = 0, by_rounding = 0;
  for (int64_t r = 0; r < 4; ++r) {
    TinyModel alone(GetParam(), 1, 1 + r), halves(GetParam(), 1, 1 + r);
    const StepResult one = alone.step(tokens.narrow(0, r, 1), 4);
    halves.step(tokens.narrow(0, r, 1), 2);
    const at::Tensor gradient = alone.arena.gradients()[0];
    const double scale = gradient.abs().max().item<double>();
    const auto off = [&](const at::Tensor& other) {
      return (other - gradient).abs().max().item<double>() / scale;
    };
    by_packing = std::max(by_packing, off(pack.arena.gradients()[r]));
    by_rounding = std::max(by_rounding, off(halves.arena.gradients()[0]));
    EXPECT_NEAR(together.loss_nats[static_cast<std::size_t>(r)], one.loss_nats[0], 1e-6);
  }
  RecordProperty("by_packing", std::to_string(by_packing * 1e9));
  RecordProperty("by_rounding", std::to_string(by_rounding * 1e9));
  EXPECT_LT(by_rounding, 1e-5);
  EXPECT_LE(by_packing, 2 * by_rounding);
}

TEST_P(StepTest, MicroBatchesGiveTheGradientOfTheWholeBatch) {
  TinyModel whole(GetParam(), 2), split(GetParam(), 2);
  const at::Tensor tokens = random_tokens(2);
  const StepResult a = whole.step(tokens, 4), b = split.step(tokens, 1);
  for (std::size_t r = 0; r < 2; ++r) EXPECT_NEAR(a.loss_nats[r], b.loss_nats[r], 1e-5);
  EXPECT_TRUE(at::allclose(whole.arena.gradients(), split.arena.gradients(), 1e-4, 1e-6));
}

TEST_P(StepTest, AReplicaThatIsNotFiniteKeepsItsWeightsAndTouchesNoOther) {
  TinyModel pack(GetParam(), 3), healthy(GetParam(), 3);
  {
    const at::NoGradGuard no_grad;
    pack.arena.values()[1].fill_(std::numeric_limits<float>::infinity());
  }
  const at::Tensor before = pack.arena.values()[1].detach().clone();
  const at::Tensor tokens = random_tokens(3);
  const StepResult result = pack.step(tokens, 4);
  healthy.step(tokens, 4);
  EXPECT_EQ(result.updated, (std::vector<bool>{true, false, true}));
  EXPECT_TRUE(at::equal(pack.arena.values()[1], before));
  EXPECT_TRUE(at::equal(pack.arena.values()[0], healthy.arena.values()[0]));
  EXPECT_TRUE(at::equal(pack.arena.values()[2], healthy.arena.values()[2]));
}

TEST_P(StepTest, RepeatsBitForBit) {
  TinyModel first(GetParam(), 2), second(GetParam(), 2);
  for (int i = 0; i < 3; ++i) {
    const at::Tensor tokens = random_tokens(2);
    first.step(tokens, 2);
    second.step(tokens, 2);
  }
  EXPECT_TRUE(at::equal(first.arena.values(), second.arena.values()));
}

TEST_P(StepTest, MeasuringASmallBatchChangesNothingElse) {
  TinyModel measured(GetParam(), 2), plain(GetParam(), 2);
  measured.arena.gradients().detach().fill_(std::numeric_limits<float>::quiet_NaN());
  for (int i = 0; i < 3; ++i) {
    const at::Tensor tokens = random_tokens(2);
    const StepResult a = measured.step(tokens, 2, true), b = plain.step(tokens, 2);
    EXPECT_EQ(a.loss_nats, b.loss_nats);
    EXPECT_EQ(a.grad_norm, b.grad_norm);
    EXPECT_EQ(a.small_batch_grad_norm.size(), 2u);
    EXPECT_TRUE(b.small_batch_grad_norm.empty());
  }
  EXPECT_TRUE(at::equal(measured.arena.gradients(), plain.arena.gradients()));
  EXPECT_TRUE(at::equal(measured.arena.values(), plain.arena.values()));
}

// Windows 0, 8 and 16 of 20, by ATen's operators and autograd, each replica alone.
TEST_P(StepTest, ASmallBatchsNormIsThatOfPlainAutogradOnEveryEighthWindow) {
  const at::Tensor tokens = random_tokens(2, 20);
  std::vector<std::vector<double>> norms;
  for (const int64_t micro_batch_windows : {20, 2, 1}) {
    TinyModel pack(GetParam(), 2);
    norms.push_back(pack.step(tokens, micro_batch_windows, true).small_batch_grad_norm);
  }
  EXPECT_EQ(small_batch_windows(20), 3);
  for (int64_t r = 0; r < 2; ++r) {
    TinyModel alone(GetParam(), 1, 1 + r, {.plain_operators = true});
    at::Tensor loss;
    for (const int64_t window : {0, 8, 16}) {
      const at::Tensor one = tokens.narrow(0, r, 1).narrow(1, window, 1);
      const at::Tensor of_window = alone.model->training_loss(one.narrow(2, 0, 8).contiguous(),
                                                              one.narrow(2, 1, 8).contiguous());
      loss = loss.defined() ? loss + of_window : of_window;
    }
    (loss / 3).sum().backward();
    const double expected = alone.arena.gradients().norm().item<double>();
    for (const auto& of_way : norms) {
      EXPECT_NEAR(of_way[static_cast<std::size_t>(r)], expected, 1e-5 * expected);
    }
  }
}

TEST(SmallBatch, IsSmallerThanEveryBatchOfTwoWindowsOrMore) {
  EXPECT_EQ(small_batch_windows(2), 1);
  EXPECT_EQ(small_batch_windows(8), 1);
  EXPECT_EQ(small_batch_windows(9), 2);
  EXPECT_EQ(small_batch_windows(128), 16);
}

}  // namespace
}  // namespace scalelaw
