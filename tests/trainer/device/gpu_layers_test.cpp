// The layers and models on a GPU with the kernels of libscalelaw_cuda.so, against the plain
// operators on the CPU. They skip where there is no GPU.
#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "models/kernels/device_kernels.h"
#include "tests/models/layer_cases.h"
#include "tests/models/model_fixture.h"
#include "trainer/device.h"
#include "trainer/kernel_library.h"

namespace scalelaw {
namespace {

class GpuLayers : public testing::Test {
 protected:
  void SetUp() override {
    const GpuAccess access = this_machine();
    if (!access.probe.present() || !access.probe.hidden_by.empty()) {
      GTEST_SKIP() << "no GPU is here";
    }
    const at::Device device = choose_device("cuda", access);
    ASSERT_EQ(missing_kernels(device), "");
  }
  void TearDown() override { install_device_kernels(nullptr); }

  const at::Device gpu_ = at::Device(at::kCUDA, 0);
};

// As layers_test.cpp asks of the CPU's kernels.
TEST_F(GpuLayers, Float32ErrorIsThatOfTheTwin) {
  for (const LayerCase& layer : gpu_cases()) {
    const Evaluated exact = evaluate(layer, at::kDouble, true);
    const Evaluated ours = evaluate(layer, at::kFloat, false, gpu_);
    const Evaluated twin = evaluate(layer, at::kFloat, true);
    expect_error_of_twin(layer, ours, twin, exact);
  }
}

TEST_F(GpuLayers, BFloat16ErrorIsThatOfTheTwin) {
  for (const LayerCase& layer : gpu_cases()) {
    if (layer.inputs.size() != 1 || layer.name == "lstm") continue;
    const Evaluated exact = evaluate(layer, at::kDouble, true);
    if (exact.values[1].numel() < 500) continue;  // where the luck of a few roundings decides
    const Evaluated ours = evaluate_in_bf16(layer, false, gpu_);
    const Evaluated twin = evaluate_in_bf16(layer, true, gpu_);
    for (size_t i = 0; i < twin.values.size(); ++i) {
      const double twin_error = largest(twin.values[i] - exact.values[i]);
      // LibTorch's attention kernels round probabilities, which their plain twin does elsewhere.
      const double factor = layer.name == "attention" ? 4 : 2;
      EXPECT_LE(largest(ours.values[i] - exact.values[i]), factor * twin_error)
          << described(layer, i);
    }
  }
}

TEST_F(GpuLayers, RepeatsAreEqualBitForBit) {
  for (const LayerCase& layer : gpu_cases()) {
    if (layer.name == "attention") continue;  // ATen's backward is free to reorder its sums
    const Evaluated first = evaluate(layer, at::kFloat, false, gpu_);
    const Evaluated second = evaluate(layer, at::kFloat, false, gpu_);
    for (size_t i = 0; i < first.values.size(); ++i) {
      EXPECT_TRUE(at::equal(first.values[i], second.values[i])) << described(layer, i);
    }
  }
}

// As LanguageModel.Bfloat16StaysNearFloat32 asks of the CPU; float32 to a thousandth of that.
TEST_F(GpuLayers, ModelsGradientsAreTheCpus) {
  for (const char* arch : {"transformer", "lstm"}) {
    for (const int64_t replicas : {1, 3}) {
      const ModelShape shape = small_shape(arch, 2, 32);
      const Windows windows = random_windows(shape, replicas, 4, 16);
      const Windows there = {windows.tokens.to(gpu_), windows.targets.to(gpu_)};
      const BuiltModel exact = build(shape, replicas);
      const at::Tensor loss = train_step(exact, windows);
      for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        const BuiltModel ours = build(shape, replicas, 1, {dtype, false}, gpu_);
        const double tolerance = dtype == at::kFloat ? 1e-5 : 1e-2;
        EXPECT_LT(largest(train_step(ours, there).to(at::kCPU) - loss), tolerance * largest(loss))
            << arch;
        const at::Tensor difference =
            ours.arena->gradients().to(at::kCPU) - exact.arena->gradients();
        EXPECT_LT(difference.norm().item<double>(),
                  5 * tolerance * exact.arena->gradients().norm().item<double>())
            << arch;
      }
    }
  }
}

}  // namespace
}  // namespace scalelaw
