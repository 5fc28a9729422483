#include "models/parameter_arena.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

TEST(ParameterArena, ViewsStartAtMultiplesOfSixtyFourBytes) {
  ParameterArena arena;
  const Parameter a = arena.declare("a", {3, 5}, ParameterGroup::kMlp, Init::normal(1.0));
  const Parameter b = arena.declare("b", {7}, ParameterGroup::kBias, Init::constant(2.0));
  arena.allocate(3, at::kCPU);
  EXPECT_EQ(arena.row_length(), 32);
  EXPECT_EQ(arena.specs()[1].offset, 16);
  EXPECT_EQ(a.value().sizes(), (std::vector<int64_t>{3, 3, 5}));
  EXPECT_EQ(a.value().strides(), (std::vector<int64_t>{32, 5, 1}));
  EXPECT_EQ(b.value().data_ptr<float>(), arena.values().data_ptr<float>() + 16);
  EXPECT_EQ(b.gradient().data_ptr<float>(), arena.gradients().data_ptr<float>() + 16);
  EXPECT_EQ(b.value().grad().data_ptr<float>(), b.gradient().data_ptr<float>());
  EXPECT_TRUE(a.value().is_leaf() && a.value().requires_grad());
  arena.initialise(1, 4);
  EXPECT_TRUE(at::equal(b.value()[1], at::full({7}, 2.0f)));
  EXPECT_EQ(largest(arena.values()[0]) + largest(arena.values()[2]), 0.0);
  EXPECT_EQ(largest(arena.values()[1].narrow(0, 15, 1)), 0.0);  // padding
}

TEST(ParameterArena, PlainOperatorsAccumulateIntoTheGradientArena) {
  ParameterArena arena;
  const Parameter a = arena.declare("a", {4}, ParameterGroup::kMlp, Init::constant(1.0));
  arena.allocate(2, at::kCPU);
  (a.value() * 3).sum().backward();
  (a.value() * 2).sum().backward();
  EXPECT_TRUE(at::equal(arena.gradients().narrow(1, 0, 4), at::full({2, 4}, 5.0f)));
  arena.zero_gradients();
  EXPECT_EQ(largest(arena.gradients()), 0.0);
}

TEST(ParameterArena, InitialisationDependsOnSeedAndNameOnly) {
  ParameterArena one, other;
  one.declare("x", {40}, ParameterGroup::kMlp, Init::normal(1.0));
  one.allocate(1, at::kCPU);
  one.initialise(0, 3);
  other.declare("y", {9}, ParameterGroup::kMlp, Init::normal(1.0));
  other.declare("x", {40}, ParameterGroup::kMlp, Init::normal(1.0));
  other.allocate(3, at::kCPU);
  other.initialise(0, 5);
  other.initialise(2, 3);
  const at::Tensor expected = one.values()[0].narrow(0, 0, 40);
  EXPECT_TRUE(at::equal(other.values()[2].narrow(0, 16, 40), expected));
  EXPECT_FALSE(at::equal(other.values()[0].narrow(0, 16, 40), expected));
  EXPECT_FALSE(at::equal(other.values()[2].narrow(0, 0, 9), expected.narrow(0, 0, 9)));
}

TEST(ParameterArena, RefusesDuplicatesAndLateDeclarations) {
  ParameterArena arena;
  arena.declare("x", {4}, ParameterGroup::kMlp, Init::constant(0));
  EXPECT_THROW(arena.declare("x", {5}, ParameterGroup::kMlp, Init::constant(0)), c10::Error);
  arena.allocate(1, at::kCPU);
  EXPECT_THROW(arena.declare("y", {5}, ParameterGroup::kMlp, Init::constant(0)), c10::Error);
  EXPECT_THROW(arena.allocate(1, at::kCPU), c10::Error);
  EXPECT_THROW(arena.initialise(1, 1), c10::Error);
}

struct Moments {
  double mean, std;
};
Moments moments(const BuiltModel& built, const std::string& name) {
  for (const ParameterSpec& spec : built.arena->specs()) {
    if (spec.name != name) continue;
    const at::Tensor values = built.arena->values()[0].narrow(0, spec.offset, spec.numel);
    return {values.mean().item<double>(), values.std(/*unbiased=*/false).item<double>()};
  }
  ADD_FAILURE() << "no parameter " << name;
  return {};
}

TEST(ParameterArena, FanInInitialisationIsAsStated) {
  ModelShape shape = small_shape("transformer", 2, 64, 4);
  shape.init = InitScheme::kFanIn;
  shape.embeddings = EmbeddingTying::kUntied;
  shape.n_vocab = 256;
  const BuiltModel built = build(shape);
  EXPECT_NEAR(moments(built, "embedding.weight").std, 0.3, 0.01);
  EXPECT_NEAR(moments(built, "head.weight").std, 0.125, 0.005);
  EXPECT_NEAR(moments(built, "blocks.1.attention.qkv.weight").std, 0.125, 0.005);
  EXPECT_NEAR(moments(built, "blocks.1.mlp.up.weight").std, 0.125, 0.005);
  EXPECT_EQ(moments(built, "blocks.1.mlp.down.weight").std, 0.0);
  EXPECT_EQ(moments(built, "blocks.1.attention.out.weight").std, 0.0);
  EXPECT_EQ(moments(built, "blocks.1.norm_2.gain").mean, 1.0);
  EXPECT_EQ(moments(built, "blocks.1.norm_2.bias").mean, 0.0);
}

TEST(ParameterArena, TiedEmbeddingStartsAsTheHeadsMatrixUnderFanIn) {
  ModelShape shape = small_shape("transformer", 2, 64, 4);
  shape.init = InitScheme::kFanIn;
  shape.embeddings = EmbeddingTying::kTied;
  shape.position = PositionEncoding::kLearned;
  const BuiltModel built = build(shape);
  EXPECT_NEAR(moments(built, "embedding.weight").std, 0.125, 0.005);
  EXPECT_NEAR(moments(built, "position.weight").std, 0.125, 0.01);
}

TEST(ParameterArena, Gpt2InitialisationIsAsStated) {
  ModelShape shape = small_shape("transformer", 2, 64, 4);
  shape.embedding_std = 0.02;
  shape.position = PositionEncoding::kLearned;
  const BuiltModel built = build(shape);
  EXPECT_NEAR(moments(built, "embedding.weight").std, 0.02, 0.001);
  EXPECT_NEAR(moments(built, "position.weight").std, 0.02, 0.0015);
  EXPECT_NEAR(moments(built, "blocks.0.mlp.up.weight").std, 0.02, 0.001);
  EXPECT_NEAR(moments(built, "blocks.0.mlp.down.weight").std, 0.01, 0.0005);
}

TEST(ParameterArena, LstmForgetGatesStartAtOne) {
  const BuiltModel built = build(small_shape("lstm", 1, 10));
  for (const ParameterSpec& spec : built.arena->specs()) {
    if (spec.name != "layers.0.bias") continue;
    const at::Tensor bias = built.arena->values()[0].narrow(0, spec.offset, 40);
    EXPECT_TRUE(at::equal(bias.narrow(0, 10, 10), at::ones({10})));
    EXPECT_EQ(bias.sum().item<float>(), 10.0f);
    return;
  }
  FAIL() << "no gate bias";
}

}  // namespace
}  // namespace scalelaw
