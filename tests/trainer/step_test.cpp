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

namespace scalelaw {
namespace {

struct TinyModel {
  ParameterArena arena;
  std::unique_ptr<LanguageModel> model;
  std::unique_ptr<AdamW> optimizer;

  TinyModel(const std::string& arch, int64_t replicas, int64_t first_seed = 1) {
    ModelShape shape;
    shape.arch = arch;
    shape.d_model = 16;
    shape.n_head = 2;
    shape.n_ctx = 8;
    shape.n_vocab = 11;
    model = make_model(shape, {}, arena);
    arena.allocate(replicas, at::kCPU);
    for (int64_t r = 0; r < replicas; ++r) arena.initialise(r, first_seed + r);
    optimizer = std::make_unique<AdamW>(
        arena, std::vector<OptimizerConfig>(static_cast<std::size_t>(replicas)));
  }
  StepResult step(const at::Tensor& tokens, int64_t micro_batch_windows) {
    const auto replicas = static_cast<std::size_t>(arena.replicas());
    UpdateRow row;
    row.learning_rate = 0.01;
    return train_step(*model, arena, *optimizer, tokens.narrow(2, 0, 8).contiguous(),
                      tokens.narrow(2, 1, 8).contiguous(), micro_batch_windows,
                      std::vector<double>(replicas, 1.0), std::vector<UpdateRow>(replicas, row));
  }
};

at::Tensor random_tokens(int64_t replicas) {
  return at::randint(11, {replicas, 4, 9}, at::kLong);
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

}  // namespace
}  // namespace scalelaw
