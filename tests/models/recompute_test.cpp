// Blocks that run again in backward, against blocks whose activations are kept: the same bits.
#include "models/layers/recompute.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <tuple>

#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

constexpr int64_t kWindows = 4, kTokens = 13;

Execution recomputing(bool recompute, at::ScalarType dtype = at::kFloat, bool plain = false) {
  return {dtype, plain, recompute};
}

struct Trained {
  at::Tensor loss, gradients;
};

// Losses and gradients of one batch, in micro-batches of `windows`.
Trained trained(const ModelShape& shape, int64_t replicas, const Execution& how, int64_t windows) {
  const BuiltModel built = build(shape, replicas, 3, how);
  const Windows batch = random_windows(shape, replicas, kWindows, kTokens);
  at::Tensor loss = at::zeros({replicas});
  for (int64_t first = 0; first < kWindows; first += windows) {
    const at::Tensor piece =
        built.model->training_loss(batch.tokens.narrow(1, first, windows).contiguous(),
                                   batch.targets.narrow(1, first, windows).contiguous());
    piece.sum().backward();
    loss += piece.detach();
  }
  return {loss, built.arena->gradients().clone()};
}

TEST(Recompute, LossesAndGradientsAreEqualBitForBit) {
  for (const ModelShape& shape : shape_grid()) {
    for (const auto& [replicas, windows, dtype] : {std::tuple{1, kWindows, at::kFloat},
                                                   {3, kWindows, at::kFloat},
                                                   {3, int64_t{1}, at::kFloat},
                                                   {1, int64_t{2}, at::kBFloat16},
                                                   {3, kWindows, at::kBFloat16}}) {
      const Trained kept = trained(shape, replicas, recomputing(false, dtype), windows);
      const Trained again = trained(shape, replicas, recomputing(true, dtype), windows);
      const std::string what = shape.arch + ", layers " + std::to_string(shape.n_layer) +
                               ", replicas " + std::to_string(replicas);
      EXPECT_TRUE(at::equal(again.loss, kept.loss)) << what;
      EXPECT_TRUE(at::equal(again.gradients, kept.gradients)) << what;
      EXPECT_GT(largest(kept.gradients), 0) << what;
    }
  }
}

// Autograd itself adds the twin's gradients, the weights' among them.
TEST(Recompute, PlainOperatorsHaveTheirGradientsToo) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 3, 20);
    const Trained kept = trained(shape, 1, recomputing(false, at::kFloat, true), kWindows);
    const Trained again = trained(shape, 1, recomputing(true, at::kFloat, true), kWindows);
    EXPECT_TRUE(at::equal(again.loss, kept.loss)) << arch;
    EXPECT_TRUE(at::equal(again.gradients, kept.gradients)) << arch;
  }
}

// Every gradient is added to what lies there: a NaN in one row stays in that row, and the padding
// between parameters is written by nobody.
TEST(Recompute, ReplicasAndPaddingAreLeftAlone) {
  for (const char* arch : {"transformer", "lstm"}) {
    ModelShape shape = small_shape(arch, 2, 15, 3);
    shape.position = PositionEncoding::kLearned;  // rotary needs an even head
    const BuiltModel built = build(shape, 3, 3, recomputing(true));
    const Windows batch = random_windows(shape, 3, 2, kTokens);
    const at::Tensor gradients = built.arena->gradients();
    train_step(built, batch);
    const at::Tensor expected = gradients.clone();
    gradients.zero_();
    gradients.select(0, 1).fill_(std::numeric_limits<float>::quiet_NaN());
    at::Tensor padding = at::ones({built.arena->row_length()}, at::kBool);
    for (const ParameterSpec& spec : built.arena->specs()) {
      padding.narrow(0, spec.offset, spec.numel).fill_(false);
    }
    ASSERT_TRUE(padding.any().item<bool>());
    gradients.masked_fill_(padding, std::numeric_limits<float>::quiet_NaN());
    built.model->training_loss(batch.tokens, batch.targets).sum().backward();
    for (const int64_t r : {0, 2}) {
      const at::Tensor used = padding.logical_not();
      EXPECT_TRUE(at::equal(gradients[r].masked_select(used), expected[r].masked_select(used)))
          << arch;
      EXPECT_TRUE(gradients[r].masked_select(padding).isnan().all().item<bool>()) << arch;
    }
    EXPECT_TRUE(gradients[1].isnan().all().item<bool>()) << arch;
  }
}

TEST(Recompute, BlocksInputsAreNotWrittenTo) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 2, 20);
    const BuiltModel built = build(shape, 1, 3, recomputing(true));
    const Windows batch = random_windows(shape, 1, kWindows, kTokens);
    const at::Tensor first = train_step(built, batch), gradients = built.arena->gradients().clone();
    EXPECT_TRUE(at::equal(train_step(built, batch), first)) << arch;
    EXPECT_TRUE(at::equal(built.arena->gradients(), gradients)) << arch;
  }
}

ResidualStream doubled(const ResidualStream& in) {
  return {in.residual * 2.0, in.branch.defined() ? in.branch * 3.0 : in.residual * 5.0};
}

TEST(Recompute, StreamsWithoutABranchAndUnusedOutputsHaveTheirGradients) {
  for (const bool recompute : {false, true}) {
    for (const bool has_branch : {false, true}) {
      const at::Tensor x = at::full({2, 3}, 1.5).requires_grad_(true);
      const at::Tensor branch = at::full({2, 3}, 0.5).requires_grad_(true);
      const ResidualStream in = {x * 1.0, has_branch ? branch * 1.0 : at::Tensor()};
      const ResidualStream out = through_block(doubled, in, recomputing(recompute));
      out.branch.sum().backward();
      EXPECT_EQ((has_branch ? branch : x).grad().sum().item<float>(), has_branch ? 18 : 30);
    }
  }
}

TEST(Recompute, BackwardTwiceThroughOneForwardIsRefused) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 1, 20);
    for (const bool recompute : {false, true}) {
      const BuiltModel built = build(shape, 1, 3, recomputing(recompute));
      const Windows batch = random_windows(shape, 1, 1, kTokens);
      const at::Tensor loss = built.model->training_loss(batch.tokens, batch.targets).sum();
      loss.backward({}, /*retain_graph=*/true);
      EXPECT_THROW(loss.backward(), c10::Error) << arch;
    }
  }
}

TEST(Recompute, GraphThatIsDroppedWithoutBackwardIsFreed) {
  const auto counted = std::make_shared<int>(0);
  std::weak_ptr<torch::autograd::Node> before;
  {
    const at::Tensor x = at::ones({2, 3}).requires_grad_(true) * 1.0;
    before = x.grad_fn();
    const auto block = [counted](const ResidualStream& in) { return doubled(in); };
    const ResidualStream out = through_block(block, {x, {}}, recomputing(true));
    EXPECT_FALSE(before.expired());
  }
  EXPECT_TRUE(before.expired());
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(Recompute, WithoutGradientsTheBlockRunsOnce) {
  int calls = 0;
  const auto block = [&calls](const ResidualStream& in) {
    ++calls;
    return doubled(in);
  };
  const at::NoGradGuard no_grad;
  through_block(block, {at::ones({1}), {}}, recomputing(true));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace scalelaw
