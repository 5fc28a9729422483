// The estimate of a step's memory against the bytes of tensors that steps hold, counted where they
// are allocated.
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/tensor_memory.h"
#include "trainer/instruments/rehearsal.h"

namespace scalelaw {
namespace {

struct Case {
  std::string arch;
  int64_t n_layer, d_model, n_ctx, windows, n_vocab, replicas;
};

RehearsalOptions options_of(const Case& one) {
  RehearsalOptions options;
  options.shape.arch = one.arch;
  options.shape.n_layer = one.n_layer;
  options.shape.d_model = one.d_model;
  options.shape.n_head = 2;
  options.shape.n_ctx = one.n_ctx;
  options.shape.n_vocab = one.n_vocab;
  options.batch_windows = one.windows;
  options.replicas = one.replicas;
  return options;
}

std::string text_of(const RehearsalOptions& o) {
  return o.shape.arch + " L" + std::to_string(o.shape.n_layer) + " d" +
         std::to_string(o.shape.d_model) + " V" + std::to_string(o.shape.n_vocab) + " R" +
         std::to_string(o.replicas) + (o.precision == Precision::kBFloat16 ? " bf16" : " fp32") +
         (o.recompute_blocks ? " recomputed" : "");
}

// Of all tensors, after a first step that makes tables.
double measured_peak(const RehearsalOptions& options) {
  TensorMemory& memory = tensor_memory();
  const auto before = static_cast<double>(memory.held_bytes());
  Rehearsal rehearsal(options);
  rehearsal.step();
  memory.forget_peak();
  rehearsal.step();
  return static_cast<double>(memory.peak_bytes()) - before;
}

// Shapes where activations, the logits, the widest block or the weights count for most.
const Case kCases[] = {
    {"transformer", 4, 64, 64, 8, 256, 1},   {"transformer", 4, 64, 64, 8, 65, 1},
    {"transformer", 2, 32, 32, 16, 2048, 1}, {"transformer", 3, 64, 48, 4, 512, 3},
    {"transformer", 0, 64, 64, 8, 512, 1},   {"lstm", 4, 64, 64, 8, 256, 1},
    {"lstm", 2, 32, 32, 16, 2048, 1},        {"lstm", 3, 64, 48, 4, 512, 3},
};

TEST(StepMemory, EstimateIsWhatTheTensorsOfAStepTake) {
  for (const Case& one : kCases) {
    for (const Precision precision : {Precision::kFloat32, Precision::kBFloat16}) {
      for (const bool recompute : {false, true}) {
        RehearsalOptions options = options_of(one);
        options.precision = precision;
        options.recompute_blocks = recompute;
        const double ratio = Rehearsal(options).memory()->tensors() / measured_peak(options);
        EXPECT_GT(ratio, 0.95) << text_of(options);
        EXPECT_LT(ratio, 1.15) << text_of(options);
      }
    }
  }
}

TEST(StepMemory, RecomputedBlocksAndSmallerPiecesNeedLess) {
  for (const char* arch : {"transformer", "lstm"}) {
    RehearsalOptions options = options_of({arch, 6, 64, 64, 16, 64, 1});
    const double whole = measured_peak(options);
    options.micro_batch_windows = 4;
    EXPECT_LT(measured_peak(options), 0.4 * whole) << arch;
    options.micro_batch_windows = 0;
    options.recompute_blocks = true;
    EXPECT_LT(measured_peak(options), 0.6 * whole) << arch;
  }
}

TEST(StepMemory, ASmallBatchNeedsNoMoreThanTheStepItBelongsTo) {
  for (const Case& one : kCases) {
    for (const int64_t micro_batch_windows : {int64_t{0}, one.windows / 4}) {
      RehearsalOptions options = options_of(one);
      options.micro_batch_windows = micro_batch_windows;
      const double without = measured_peak(options);
      options.noise_scale_every = 1;
      EXPECT_LE(measured_peak(options), without + 4096) << text_of(options);
    }
  }
}

TEST(StepMemory, ScoringWindowsNeedsNoMoreThanTheEstimate) {
  for (const Case& one : kCases) {
    for (const bool bf16 : {false, true}) {
      const ModelShape shape = options_of(one).shape;
      ParameterArena arena;
      Execution execution;
      if (bf16) execution.compute_dtype = at::kBFloat16;
      const auto model = make_model(shape, execution, arena);
      arena.allocate(one.replicas, at::kCPU);
      const int64_t windows = windows_scored_at_once(shape, one.replicas);
      const at::Tensor tokens = at::zeros({one.replicas, windows, shape.n_ctx}, at::kLong);
      model->score(tokens, tokens);
      TensorMemory& memory = tensor_memory();
      const auto before = static_cast<double>(memory.held_bytes());
      memory.forget_peak();
      model->score(tokens, tokens);
      StepSetup setup;
      setup.replicas = one.replicas;
      setup.bf16_products = bf16;
      const double ratio =
          *estimate_scoring(shape, setup) / (static_cast<double>(memory.peak_bytes()) - before);
      EXPECT_GT(ratio, 0.95) << text_of(options_of(one)) << (bf16 ? " bf16" : "");
      EXPECT_LT(ratio, 2.5) << text_of(options_of(one)) << (bf16 ? " bf16" : "");
    }
  }
}

TEST(StepMemory, AWideModelIsScoredInFewerWindowsAtOnce) {
  ModelShape shape = options_of({"transformer", 2, 64, 128, 1, 256, 1}).shape;
  EXPECT_EQ(windows_scored_at_once(shape, 1), 16);
  EXPECT_EQ(windows_scored_at_once(shape, 4), 4);
  shape.n_ctx = 8;
  EXPECT_EQ(windows_scored_at_once(shape, 1), 64);
  shape.d_model = 2048;
  EXPECT_EQ(windows_scored_at_once(shape, 1), 8);
  EXPECT_EQ(windows_scored_at_once(shape, 64), 1);
}

}  // namespace
}  // namespace scalelaw
