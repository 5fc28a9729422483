// A checkpoint that is written while training goes on holds the state of when it was begun.
#include "trainer/checkpoint_writer.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "models/language_model.h"
#include "tests/support/temp_dir.h"
#include "trainer/device.h"
#include "trainer/optimizers/adamw.h"

namespace scalelaw {
namespace {

constexpr int64_t kReplicas = 3;

class CheckpointWriterTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const GpuAccess access = this_machine();
    const bool on_gpu = GetParam() == "cuda";
    if (on_gpu && (!access.probe.present() || !access.probe.hidden_by.empty())) {
      GTEST_SKIP() << "no GPU is here";
    }
    device_ = choose_device(GetParam(), access);
  }
  ParameterArena arena_on(at::Device device, int64_t replicas) const {
    ModelShape shape;
    shape.n_layer = 2;
    // On a GPU copies that take longer than the launch of what comes after.
    shape.d_model = device_.is_cuda() ? 256 : 32;
    shape.n_ctx = 8;
    shape.n_vocab = 64;
    ParameterArena arena;
    make_model(shape, {}, arena);
    arena.allocate(replicas, device);
    return arena;
  }
  RunFolder folder(int64_t replica) const {
    return {temp_.path() / ("run" + std::to_string(replica))};
  }
  CheckpointWriter::Member member(int64_t replica, int64_t step) const {
    TrainingCursor cursor;
    cursor.step = step;
    return {{folder(replica), "hash", cursor, step, [] {}, {}}, replica};
  }
  TempDir temp_;
  at::Device device_ = at::kCPU;
};
INSTANTIATE_TEST_SUITE_P(Devices, CheckpointWriterTest, testing::Values("cpu", "cuda"),
                         [](const auto& of) { return of.param; });

TEST_P(CheckpointWriterTest, WhatIsTrainedMeanwhileIsNotInIt) {
  ParameterArena arena = arena_on(device_, kReplicas);
  AdamW optimizer(arena, std::vector<OptimizerConfig>(kReplicas));
  CheckpointWriter writer(arena, optimizer);
  ParameterArena read_back = arena_on(at::kCPU, 1);
  AdamW moments_back(read_back, {OptimizerConfig{}});
  for (const int64_t step : {5, 6, 7}) {
    std::vector<at::Tensor> begun;  // (R, P) each
    for (const at::Tensor& tensor : state_of(arena, optimizer)) {
      tensor.detach().copy_(at::randn(tensor.sizes()));
      begun.push_back(tensor.detach().cpu().clone());
    }
    writer.begin({member(0, step), member(2, step)});
    for (const at::Tensor& tensor : state_of(arena, optimizer)) {  // as the next updates do
      tensor.detach().fill_(std::numeric_limits<float>::quiet_NaN());
    }
    writer.end();
    for (const int64_t replica : {0, 2}) {
      const TrainingCursor cursor = read_checkpoint(checkpoint_file(folder(replica), step), "hash",
                                                    read_back, moments_back, 0);
      EXPECT_EQ(cursor.step, step);
      const auto state = state_of(read_back, moments_back);
      for (std::size_t i = 0; i < state.size(); ++i) {
        for (const ParameterSpec& spec : arena.specs()) {
          const auto seen = state[i].detach()[0].narrow(0, spec.offset, spec.numel);
          const auto expected = begun[i][replica].narrow(0, spec.offset, spec.numel);
          EXPECT_TRUE(seen.equal(expected)) << replica << " " << spec.name << " " << i;
        }
      }
    }
    EXPECT_FALSE(std::filesystem::exists(folder(1).path)) << "of no member";
  }
}

}  // namespace
}  // namespace scalelaw
