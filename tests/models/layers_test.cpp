// Every autograd Function against its plain twin: value and all gradients, in float64, where the
// two formulas must agree to rounding, and in float32, where ours may be at most a few times
// further from float64 than the twin in float32 is.
#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "models/kernels/device_kernels.h"
#include "models/layers/attention_backend.h"
#include "tests/models/layer_cases.h"
#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

TEST(Layers, FunctionsEqualTheirTwinsInFloat64) {
  for (const LayerCase& layer : all_cases()) {
    const Evaluated ours = evaluate(layer, at::kDouble, false);
    const Evaluated twin = evaluate(layer, at::kDouble, true);
    for (size_t i = 0; i < twin.values.size(); ++i) {
      EXPECT_LT(largest(ours.values[i] - twin.values[i]), 1e-11 * (1 + largest(twin.values[i])))
          << described(layer, i);
    }
  }
}

TEST(Layers, Float32ErrorIsThatOfTheTwin) {
  for (const LayerCase& layer : all_cases()) {
    const Evaluated exact = evaluate(layer, at::kDouble, true);
    const Evaluated ours = evaluate(layer, at::kFloat, false);
    const Evaluated twin = evaluate(layer, at::kFloat, true);
    expect_error_of_twin(layer, ours, twin, exact);
  }
}

TEST(Layers, RepeatsAreEqualBitForBit) {
  for (const LayerCase& layer : all_cases()) {
    const Evaluated first = evaluate(layer, at::kFloat, false);
    const Evaluated second = evaluate(layer, at::kFloat, false);
    for (size_t i = 0; i < first.values.size(); ++i) {
      EXPECT_TRUE(at::equal(first.values[i], second.values[i])) << described(layer, i);
    }
  }
}

// Products may choose other kernels for fewer rows a thread; what has rows or heads of its own not.
// A device's kernels have ATen's attention between them.
TEST(Layers, NormsActivationAndAttentionDoNotDependOnThreads) {
  const int before = at::get_num_threads();
  for (const LayerCase& layer : all_cases()) {
    if (layer.name == "linear" || layer.name == "lstm" || layer.name.ends_with("head")) continue;
    if (layer.name == "attention" && device_kernels() != nullptr) continue;
    at::set_num_threads(1);
    const Evaluated alone = evaluate(layer, at::kFloat, false);
    at::set_num_threads(3);
    const Evaluated shared = evaluate(layer, at::kFloat, false);
    for (size_t i = 0; i < alone.values.size(); ++i) {
      EXPECT_TRUE(at::equal(alone.values[i], shared.values[i])) << described(layer, i);
    }
  }
  at::set_num_threads(before);
}

// Of the Functions and of their twins, along random directions of all inputs and parameters
// together.
TEST(Layers, GradientsAreSlopesOfTheLoss) {
  constexpr double kStep = 1e-5;
  for (const LayerCase& layer : all_cases()) {
    const Tensors inputs = draw(layer.inputs, 3), parameters = draw(layer.parameters, 4);
    for (const bool plain : {false, true}) {
      const Evaluated analytic = evaluate(layer, at::kDouble, plain);
      for (const uint64_t direction : {8, 18, 28}) {
        const Tensors input_steps = draw(layer.inputs, direction);
        const Tensors parameter_steps = draw(layer.parameters, direction + 1);
        const auto loss_at = [&](double step) {
          Tensors x, p;
          for (size_t i = 0; i < inputs.size(); ++i) x.push_back(inputs[i] + step * input_steps[i]);
          for (size_t i = 0; i < parameters.size(); ++i) {
            p.push_back(parameters[i] + step * parameter_steps[i]);
          }
          return weighted(layer.apply(x, as_parameters(p, at::kDouble), {at::kDouble, plain}))
              .item<double>();
        };
        double slope = 0;
        for (size_t i = 0; i < inputs.size(); ++i) {
          slope += (analytic.values[1 + i] * input_steps[i]).sum().item<double>();
        }
        for (size_t i = 0; i < parameters.size(); ++i) {
          const at::Tensor& gradient = analytic.values[1 + inputs.size() + i];
          slope += (gradient * parameter_steps[i]).sum().item<double>();
        }
        EXPECT_NEAR((loss_at(kStep) - loss_at(-kStep)) / (2 * kStep), slope,
                    1e-6 * (1 + std::abs(slope)))
            << described(layer, 0) << (plain ? ", the twin" : "");
      }
    }
  }
}

// On a CPU the products' operands are rounded to bf16, nothing else; the twin of attention is all
// bf16.
TEST(Layers, BFloat16ErrorIsThatOfTheTwin) {
  if (device_kernels() != nullptr) GTEST_SKIP() << "a device's linear maps give bf16";
  for (const LayerCase& layer : all_cases()) {
    const bool linear = layer.name == "linear";
    const bool has_products =
        linear || layer.name == "attention" || layer.name == "lstm" || layer.name.ends_with("head");
    if (!has_products) continue;
    const Evaluated exact = evaluate(layer, at::kDouble, true);
    if (exact.values[0].numel() < 100) continue;  // where the luck of a few roundings decides
    const auto with_bf16_products = [&](bool plain) {
      LayerCase as_float = layer;
      as_float.apply = [&layer, plain, linear](const Tensors& x, const std::vector<Parameter>& p,
                                               const Execution&) {
        const bool in_bf16 = plain && !linear;
        const at::Tensor y =
            layer.apply({in_bf16 ? x[0].to(at::kBFloat16) : x[0]}, p, {at::kBFloat16, plain});
        EXPECT_EQ(y.scalar_type(), in_bf16 ? at::kBFloat16 : at::kFloat);
        return y.to(at::kFloat);
      };
      return evaluate(as_float, at::kFloat, plain);
    };
    const Evaluated ours = with_bf16_products(false), twin = with_bf16_products(true);
    for (size_t i = 0; i < twin.values.size(); ++i) {
      const double twin_error = largest(twin.values[i] - exact.values[i]);
      EXPECT_GT(twin_error, 0) << described(layer, i);
      EXPECT_LE(largest(ours.values[i] - exact.values[i]), 2 * twin_error) << described(layer, i);
    }
  }
}

TEST(Layers, OnADeviceBFloat16ErrorIsThatOfTheTwin) {
  if (device_kernels() == nullptr) GTEST_SKIP() << "no device's kernels are installed";
  for (const LayerCase& layer : all_cases()) {
    // An LSTM's is in lstm_ways_test.cpp. Attention's products are LibTorch's, of rotary positions
    // there is emulated_rotary_test.cpp.
    if (layer.inputs.size() != 1 || layer.name == "lstm" || layer.name == "attention") continue;
    const Evaluated exact = evaluate(layer, at::kDouble, true);
    if (exact.values[1].numel() < 500) continue;  // where the luck of a few roundings decides
    const Evaluated ours = evaluate_in_bf16(layer, false, at::kCPU);
    const Evaluated twin = evaluate_in_bf16(layer, true, at::kCPU);
    for (size_t i = 0; i < twin.values.size(); ++i) {
      const double twin_error = largest(twin.values[i] - exact.values[i]);
      EXPECT_LE(largest(ours.values[i] - exact.values[i]), 2 * twin_error) << described(layer, i);
    }
  }
}

// LibTorch answers for a CPU too.
TEST(Layers, LibTorchsChoiceOfAttentionHasAName) {
  const ModelShape shape = small_shape("transformer", 1, 32);
  EXPECT_EQ(attention_backend(shape, 3, at::kFloat, at::kCPU), "flash");
  at::globalContext().setSDPUseFlash(false);
  EXPECT_EQ(attention_backend(shape, 3, at::kFloat, at::kCPU), "math");
  at::globalContext().setSDPUseFlash(true);
}

// A Function that kept a view of its own result would keep itself, and all before it, for ever.
TEST(Layers, GraphThatIsDroppedWithoutBackwardIsFreed) {
  for (const LayerCase& layer : all_cases()) {
    if (layer.inputs.empty()) continue;
    std::weak_ptr<torch::autograd::Node> before;
    {
      const std::vector<Parameter> parameters =
          as_parameters(draw(layer.parameters, 4), at::kFloat);
      Tensors fresh;
      for (const at::Tensor& input : draw(layer.inputs, 3)) {
        fresh.push_back(input.to(at::kFloat).requires_grad_(true) * 1.0);
      }
      before = fresh[0].grad_fn();
      const at::Tensor output = layer.apply(fresh, parameters, {at::kFloat, false});
      EXPECT_FALSE(before.expired());
    }
    EXPECT_TRUE(before.expired()) << described(layer, 0);
  }
}

}  // namespace
}  // namespace scalelaw
