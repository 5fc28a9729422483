#include "trainer/step_choice.h"

#include <gtest/gtest.h>

#include <string>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

StepRequest request_of(const std::string& arch = "transformer") {
  StepRequest request;
  request.shape.arch = arch;
  request.shape.n_layer = 8;
  request.shape.d_model = 128;
  request.shape.n_head = 2;
  request.shape.n_ctx = 128;
  request.shape.n_vocab = 1024;
  request.batch_windows = 12;
  return request;
}

double needed(const StepRequest& request, int64_t windows, bool recompute) {
  StepSetup setup;
  setup.windows = windows;
  setup.replicas = request.replicas;
  setup.recompute_blocks = recompute;
  const MemoryEstimate memory = estimate_memory(request.shape, setup).value();
  return memory.total() + 3 * memory.parameters;  // that checkpoints are written from
}

std::string fault_of(const StepRequest& request, double bytes) {
  try {
    require_fit(request, bytes);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(StepChoice, TheWholeBatchWhereItFits) {
  for (const char* arch : {"transformer", "lstm"}) {
    const StepChoice choice = choose_step(request_of(arch), 100e9);
    EXPECT_EQ(choice.windows, 12);
    EXPECT_FALSE(choice.recompute_blocks);
    EXPECT_TRUE(choice.fits);
    EXPECT_EQ(choice.needed_bytes, needed(request_of(arch), 12, false));
  }
}

// Of so many replicas an evaluation scores a window each at once too, which needs less than a step.
TEST(StepChoice, LessMemoryMeansSmallerPiecesAndRecomputationLast) {
  StepRequest request = request_of();
  request.replicas = 32;
  int64_t windows_before = 12;
  bool recomputed = false;
  for (double bytes = 1.1 * needed(request, 12, false);; bytes *= 0.98) {
    const StepChoice choice = choose_step(request, bytes);
    if (!choice.fits) break;
    EXPECT_LE(choice.needed_bytes, bytes);
    EXPECT_EQ(12 % choice.windows, 0);
    if (choice.recompute_blocks) {
      recomputed = true;
      EXPECT_GT(needed(request, 1, false), 0.92 * bytes);
    } else {
      EXPECT_FALSE(recomputed);
      EXPECT_LE(choice.windows, windows_before);
      windows_before = choice.windows;
    }
  }
  EXPECT_EQ(windows_before, 1);
  EXPECT_TRUE(recomputed);
}

// Pieces of 64 tokens cost 1.63 of their tokens' time, recomputed ones of 256 1.62.
TEST(StepChoice, TinyPiecesCostMoreThanRecomputation) {
  StepRequest request = request_of();
  request.shape.n_ctx = 16;
  request.batch_windows = 96;
  const double bytes = (needed(request, 6, false) - 1) / 0.92;
  ASSERT_LT(needed(request, 16, true), 0.92 * bytes);
  const StepChoice choice = choose_step(request, bytes);
  EXPECT_TRUE(choice.recompute_blocks);
  EXPECT_GE(choice.windows, 16);
}

TEST(StepChoice, WhatTheUserSaysIsTaken) {
  StepRequest request = request_of();
  request.windows_at_once = 3;
  request.windows_before = 6;
  request.recompute = Recomputation::kBlocks;
  const StepChoice choice = choose_step(request, 100e9);
  EXPECT_EQ(choice.windows, 3);
  EXPECT_TRUE(choice.recompute_blocks);
  request.recompute = Recomputation::kNone;
  EXPECT_FALSE(choose_step(request, needed(request, 3, true)).recompute_blocks);
}

// There a graph keeps the step's memory while the small batch's is warmed up: as a step of its
// windows takes, where that is more than scoring.
TEST(StepChoice, OnAGpuASmallBatchOfTheNoiseScaleNeedsMemoryBesideTheStep) {
  StepRequest request = request_of();
  request.device = DeviceKind::kGpu;
  request.batch_windows = 1024;
  const auto bytes = [&](int64_t windows_at_once, bool measures) {
    request.windows_at_once = windows_at_once;
    request.measures_noise_scale = measures;
    return choose_step(request, 1e15).needed_bytes;
  };
  StepSetup setup;
  setup.device = DeviceKind::kGpu;
  const double scoring = *estimate_scoring(request.shape, setup);
  setup.windows = 128;
  const MemoryEstimate eighth = *estimate_memory(request.shape, setup);
  const double beside = eighth.activations + eighth.logits + eighth.workspace;
  ASSERT_GT(beside, 2 * scoring);
  EXPECT_NEAR(bytes(1024, true) - bytes(1024, false), beside - scoring, 1e-6 * beside);
  EXPECT_NEAR(bytes(128, true) - bytes(128, false), beside - scoring, 1e-6 * beside);
  EXPECT_LT(bytes(64, true) - bytes(64, false), 0.6 * beside);  // no more than a micro-batch
  EXPECT_LT(bytes(1, true) - bytes(1, false), 0.02 * beside) << "of one window as scoring";
  request.device = DeviceKind::kCpu;
  EXPECT_EQ(bytes(1024, true), bytes(1024, false));
}

TEST(StepChoice, ARunThatGoesOnKeepsItsPiecesWhereTheyFit) {
  StepRequest request = request_of();
  request.windows_before = 4;
  EXPECT_EQ(choose_step(request, 100e9).windows, 4);
  const double less = needed(request, 2, true) / 0.92 + 1;
  EXPECT_LE(choose_step(request, less).windows, 2);
  request.windows_before = 5;  // of a batch that was another
  EXPECT_EQ(choose_step(request, 100e9).windows, 12);
}

// What was found to be too much once, perhaps with more memory than there is now.
TEST(StepChoice, AtMostSoManyWindowsAtOnceAndFewerWhereOnlyFewerFit) {
  StepRequest request = request_of();
  request.most_at_once = 5;  // of 12
  EXPECT_EQ(choose_step(request, 100e9).windows, 4);
  const double less = needed(request, 2, false) / 0.92 + 1;
  for (const int64_t asked : {0, 6, 12}) {
    request.windows_at_once = asked;
    request.recompute = Recomputation::kNone;
    EXPECT_EQ(choose_step(request, 100e9).windows, 4) << "where " << asked << " are asked for";
    EXPECT_EQ(require_fit(request, less).windows, 2);
  }
  request.windows_before = 12;
  EXPECT_EQ(choose_step(request, 100e9).windows, 4) << "no more than that, whatever was before";
  request.windows_before = 2;
  EXPECT_EQ(choose_step(request, 100e9).windows, 2);
  request.windows_at_once = 3;
  EXPECT_EQ(choose_step(request, 100e9).windows, 3) << "asked for and not too many";
}

TEST(StepChoice, ARefusalSaysWhatIsNeededWhatIsThereAndWhatWouldFit) {
  StepRequest request = request_of();
  const std::string nothing = fault_of(request, 1e6);
  EXPECT_NE(nothing.find("model.d_model = 128, model.n_layer = 8: pieces of 128 tokens of 1536, "
                         "blocks recomputed needs about "),
            std::string::npos)
      << nothing;
  EXPECT_NE(nothing.find(" bytes, of 1M that are there; choose a smaller shape"), std::string::npos)
      << nothing;

  request.windows_at_once = 12;
  request.recompute = Recomputation::kNone;
  const double bytes = needed(request, 4, false) / 0.92 + 1;
  const std::string asked = fault_of(request, bytes);
  EXPECT_NE(asked.find("the batch of 1536 tokens at once needs about "), std::string::npos);
  EXPECT_NE(asked.find("how.micro_batch_tokens = 512 with how.recompute = none would fit"),
            std::string::npos)
      << asked;

  StepRequest pack = request_of();
  pack.replicas = 50;
  const std::string together = fault_of(pack, needed(request_of(), 12, false) / 0.92 + 1);
  EXPECT_NE(together.find("train fewer runs in one pack"), std::string::npos) << together;
}

// N 3.05 billion; each of 8 ranks holds the whole model and takes an eighth of the batch.
TEST(StepChoice, ThreeBillionParametersFitAGpuOf80GigabytesAndNotOneOf40) {
  StepRequest request;
  request.shape.arch = "transformer";
  request.shape.n_layer = 32;
  request.shape.d_model = 2816;
  request.shape.n_head = 22;
  request.shape.n_ctx = 1024;
  request.shape.n_vocab = 50304;
  request.device = DeviceKind::kGpu;
  request.bf16_products = true;
  request.batch_windows = 512 / 8;
  const StepChoice choice = require_fit(request, 80e9);
  EXPECT_TRUE(choice.recompute_blocks);
  EXPECT_LT(choice.windows, request.batch_windows);
  EXPECT_GT(choice.needed_bytes, 60e9);
  EXPECT_LT(choice.needed_bytes, 73e9);
  const std::string refusal = fault_of(request, 40e9);
  EXPECT_NE(refusal.find("of 40B that are there; choose a smaller shape"), std::string::npos)
      << refusal;
}

}  // namespace
}  // namespace scalelaw
