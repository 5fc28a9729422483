#include "models/language_model.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/isnan.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string described(const ModelShape& shape) {
  return shape.arch + " L" + std::to_string(shape.n_layer) + " W" + std::to_string(shape.d_model);
}

TEST(LanguageModel, DeclaresTheParametersThatArithmeticCounts) {
  for (const ModelShape& shape : shape_grid()) {
    EXPECT_EQ(build(shape).arena->counts(), count(shape)->parameters) << described(shape);
  }
}

// Two float32 evaluations of one formula in different orders: a few hundred roundings of the
// largest number.
TEST(LanguageModel, FunctionsAgreeWithPlainOperators) {
  for (const ModelShape& shape : shape_grid()) {
    for (const int64_t replicas : {1, 3}) {
      const Windows windows = random_windows(shape, replicas, 2, 11);
      const BuiltModel ours = build(shape, replicas);
      const BuiltModel plain = build(shape, replicas, 1, {at::kFloat, /*plain_operators=*/true});
      const at::Tensor loss = train_step(ours, windows), plain_loss = train_step(plain, windows);
      EXPECT_LT(largest(loss - plain_loss), 2e-6 * largest(plain_loss)) << described(shape);
      const at::Tensor expected = plain.arena->gradients();
      EXPECT_LT(largest(ours.arena->gradients() - expected), 1e-5 * largest(expected))
          << described(shape) << " R " << replicas;
      EXPECT_LT(largest(ours.model->logits(windows.tokens) - plain.model->logits(windows.tokens)),
                1e-5);
      EXPECT_LT(largest(ours.model->score(windows.tokens, windows.targets).loss_nats -
                        plain.model->score(windows.tokens, windows.targets).loss_nats),
                1e-5);
    }
  }
}

TEST(LanguageModel, ReplicaOfAPackEqualsTheModelAlone) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 2, 20);
    const Windows windows = random_windows(shape, 4, 3, 16);
    const BuiltModel pack = build(shape, 4, 10);
    const at::Tensor losses = train_step(pack, windows);
    for (int64_t r = 0; r < 4; ++r) {
      const BuiltModel alone = build(shape, 1, 10 + r);
      const at::Tensor loss =
          train_step(alone, {windows.tokens.narrow(0, r, 1), windows.targets.narrow(0, r, 1)});
      EXPECT_TRUE(at::equal(alone.arena->values()[0], pack.arena->values()[r]));
      EXPECT_LT(largest(loss - losses[r]), 2e-6 * largest(loss)) << arch;
      const at::Tensor expected = alone.arena->gradients()[0];
      EXPECT_LT(largest(pack.arena->gradients()[r] - expected), 1e-5 * largest(expected)) << arch;
    }
  }
}

TEST(LanguageModel, NonFiniteReplicaLeavesTheOthersUntouched) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 2, 20);
    const Windows windows = random_windows(shape, 3, 2, 16);
    const BuiltModel healthy = build(shape, 3), broken = build(shape, 3);
    broken.arena->values()[1].fill_(kNaN);
    const at::Tensor expected = train_step(healthy, windows), losses = train_step(broken, windows);
    EXPECT_TRUE(std::isnan(losses[1].item<float>())) << arch;
    for (const int64_t r : {0, 2}) {
      EXPECT_TRUE(at::equal(losses[r], expected[r])) << arch;
      EXPECT_TRUE(at::equal(broken.arena->gradients()[r], healthy.arena->gradients()[r])) << arch;
    }
  }
}

TEST(LanguageModel, ChangingATokenChangesNoEarlierLogit) {
  for (const ModelShape& shape : shape_grid()) {
    const BuiltModel built = build(shape);
    const at::Tensor tokens = random_windows(shape, 1, 2, 12).tokens;
    const at::Tensor before = built.model->logits(tokens).detach();
    for (const int64_t t : {0, 5, 11}) {
      const at::Tensor changed = tokens.clone();
      changed.select(2, t).add_(1).remainder_(shape.n_vocab);
      const at::Tensor after = built.model->logits(changed).detach();
      EXPECT_TRUE(at::equal(after.narrow(2, 0, t), before.narrow(2, 0, t))) << described(shape);
      EXPECT_FALSE(at::equal(after.select(2, t), before.select(2, t))) << described(shape);
    }
  }
}

TEST(LanguageModel, TokensReachLaterLogits) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 1, 20);
    const BuiltModel built = build(shape);
    const at::Tensor tokens = random_windows(shape, 1, 2, 12).tokens;
    const at::Tensor changed = tokens.clone();
    changed.select(2, 0).add_(1).remainder_(shape.n_vocab);
    EXPECT_FALSE(at::equal(built.model->logits(changed).select(2, 11),
                           built.model->logits(tokens).select(2, 11)))
        << arch;
  }
}

TEST(LanguageModel, NoNaNSurvivesAStepOverPoisonedGradients) {
  for (const ModelShape& shape : shape_grid()) {
    const BuiltModel built = build(shape, 2);
    built.arena->gradients().fill_(kNaN);
    train_step(built, random_windows(shape, 2, 2, 16));
    EXPECT_FALSE(at::isnan(built.arena->gradients()).any().item<bool>()) << described(shape);
  }
}

// The architectures' own Functions must reach every parameter: none is left out of backward.
TEST(LanguageModel, EveryParameterReceivesAGradient) {
  for (const ModelShape& shape : shape_grid()) {
    const BuiltModel built = build(shape);
    train_step(built, random_windows(shape, 1, 3, 16));
    for (const ParameterSpec& spec : built.arena->specs()) {
      EXPECT_GT(largest(built.arena->gradients().narrow(1, spec.offset, spec.numel)), 0.0)
          << described(shape) << " " << spec.name;
    }
  }
}

TEST(LanguageModel, GradientsAddUpOverMicroBatches) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 1, 20);
    const BuiltModel built = build(shape);
    const Windows windows = random_windows(shape, 1, 2, 16);
    train_step(built, windows);
    const at::Tensor once = built.arena->gradients().clone();
    built.model->training_loss(windows.tokens, windows.targets).sum().backward();
    EXPECT_LT(largest(built.arena->gradients() - 2 * once), 1e-6 * largest(once)) << arch;
  }
}

TEST(LanguageModel, StepsRepeatBitForBit) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 2, 20);
    const Windows windows = random_windows(shape, 2, 2, 16);
    const BuiltModel built = build(shape, 2);
    const at::Tensor loss = train_step(built, windows);
    const at::Tensor gradients = built.arena->gradients().clone();
    for (int repeat = 0; repeat < 3; ++repeat) {
      EXPECT_TRUE(at::equal(train_step(built, windows), loss)) << arch;
      EXPECT_TRUE(at::equal(built.arena->gradients(), gradients)) << arch;
    }
  }
}

TEST(LanguageModel, ScoresAreTheTrainingLossByToken) {
  for (const ModelShape& shape : shape_grid()) {
    const BuiltModel built = build(shape, 2);
    const Windows windows = random_windows(shape, 2, 3, 9);
    const at::Tensor loss = train_step(built, windows);
    const TokenScores scores = built.model->score(windows.tokens, windows.targets);
    EXPECT_LT(largest(scores.loss_nats.mean({1, 2}) - loss), 2e-6 * largest(loss));
    const at::Tensor likeliest = built.model->logits(windows.tokens).argmax(-1);
    EXPECT_TRUE(at::equal(scores.correct, likeliest.eq(windows.targets))) << described(shape);
    EXPECT_FALSE(scores.loss_nats.requires_grad());
  }
}

// bf16 keeps 8 bits: products of unit size are off by 2^-9 each, sums of them by less.
TEST(LanguageModel, Bfloat16StaysNearFloat32) {
  for (const char* arch : {"transformer", "lstm"}) {
    const ModelShape shape = small_shape(arch, 2, 32);
    for (const int64_t replicas : {1, 2}) {
      const Windows windows = random_windows(shape, replicas, 4, 16);
      const BuiltModel exact = build(shape, replicas),
                       rough = build(shape, replicas, 1, {at::kBFloat16, false});
      const at::Tensor loss = train_step(exact, windows);
      EXPECT_LT(largest(train_step(rough, windows) - loss), 0.01 * largest(loss)) << arch;
      const at::Tensor difference = rough.arena->gradients() - exact.arena->gradients();
      EXPECT_LT(difference.norm().item<double>(),
                0.05 * exact.arena->gradients().norm().item<double>())
          << arch;
      EXPECT_EQ(rough.model->logits(windows.tokens).scalar_type(), at::kFloat);
    }
  }
}

TEST(LanguageModel, RefusesWhatItCannotBuildOrRead) {
  ParameterArena arena;
  ModelShape shape = small_shape("transformer", 1, 20);
  shape.n_head = 3;
  EXPECT_THROW(make_model(shape, {}, arena), std::invalid_argument);
  shape.n_head = 2;
  shape.n_vocab = 0;
  EXPECT_THROW(make_model(shape, {}, arena), std::invalid_argument);
  shape.n_vocab = 37;
  const BuiltModel built = build(shape);
  Windows windows = random_windows(shape, 1, 2, 16);
  windows.targets[0][1][3] = 37;
  EXPECT_THROW(built.model->score(windows.tokens, windows.targets), c10::Error);
  EXPECT_THROW(built.model->logits(windows.targets), c10::Error);
  EXPECT_THROW(built.model->logits(random_windows(shape, 1, 2, 17).tokens), c10::Error);
  EXPECT_THROW(built.model->logits(random_windows(shape, 2, 2, 16).tokens), c10::Error);
}

}  // namespace
}  // namespace scalelaw
