// Every autograd Function against its plain twin: value and all gradients, in float64, where the
// two formulas must agree to rounding, and in float32, where ours may be at most a few times
// further from float64 than the twin in float32 is.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "models/kernels/device_kernels.h"
#include "models/layers/attention.h"
#include "models/layers/bias_gelu.h"
#include "models/layers/embedding.h"
#include "models/layers/head_loss.h"
#include "models/layers/linear.h"
#include "models/layers/lstm_layer.h"
#include "models/layers/residual_norm.h"
#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

using Tensors = std::vector<at::Tensor>;

// One layer as a function of float inputs and parameters, all drawn N(0, 1).
struct LayerCase {
  std::string name;
  std::vector<std::vector<int64_t>> inputs, parameters;
  std::function<at::Tensor(const Tensors&, const std::vector<Parameter>&, const Execution&)> apply;
};

struct Evaluated {
  Tensors values;  // the output, then gradients of inputs, then of parameters; float64
};

Tensors draw(const std::vector<std::vector<int64_t>>& shapes, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  Tensors tensors;
  for (const auto& shape : shapes) {
    tensors.push_back(at::randn(shape, generator, at::kDouble) * 0.7);
  }
  return tensors;
}

// The loss is a fixed random weighting of the output.
at::Tensor weighted(const at::Tensor& output) {
  at::Generator generator = at::detail::createCPUGenerator(99);
  const at::Tensor weights = at::randn(output.sizes(), generator, at::kDouble);
  return (output * weights.to(output.scalar_type())).sum();
}

std::vector<Parameter> as_parameters(const Tensors& values, at::ScalarType dtype) {
  std::vector<Parameter> parameters;
  for (const at::Tensor& value : values) {
    at::Tensor leaf = value.to(dtype).clone().requires_grad_(true);
    leaf.mutable_grad() = at::zeros_like(value, dtype);
    parameters.emplace_back(leaf, leaf.grad());
  }
  return parameters;
}

Evaluated evaluate(const LayerCase& layer, at::ScalarType dtype, bool plain) {
  Tensors inputs;
  for (const at::Tensor& input : draw(layer.inputs, 3)) {
    inputs.push_back(input.to(dtype).clone().requires_grad_(true));
  }
  const std::vector<Parameter> parameters = as_parameters(draw(layer.parameters, 4), dtype);
  Tensors fresh;  // some Functions write into their argument
  for (const at::Tensor& input : inputs) fresh.push_back(input * 1.0);
  const at::Tensor output = layer.apply(fresh, parameters, {dtype, plain});
  weighted(output).backward();
  Evaluated result{{output.detach().to(at::kDouble)}};
  for (const at::Tensor& input : inputs) result.values.push_back(input.grad().to(at::kDouble));
  for (const Parameter& parameter : parameters) {
    result.values.push_back(parameter.gradient().to(at::kDouble));
  }
  return result;
}

Parameter optional_parameter(const std::vector<Parameter>& parameters, size_t index) {
  return index < parameters.size() ? parameters[index] : Parameter();
}

void add_dense_cases(int64_t r, int64_t m, int64_t in, int64_t out, std::vector<LayerCase>& cases) {
  for (const bool bias : {false, true}) {
    const auto with_bias = [&](std::vector<std::vector<int64_t>> shapes, int64_t width) {
      if (bias) shapes.push_back({r, width});
      return shapes;
    };
    cases.push_back({"linear",
                     {{r, m, in}},
                     with_bias({{r, in, out}}, out),
                     [](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                       return linear(x[0], p[0], optional_parameter(p, 1), how);
                     }});
    cases.push_back({"norm",
                     {{r, m, in}},
                     with_bias({{r, in}}, in),
                     [](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                       return norm(x[0], p[0], optional_parameter(p, 1), how);
                     }});
    cases.push_back({"residual_norm",
                     {{r, m, in}, {r, m, in}},
                     with_bias({{r, in}}, in),
                     [](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                       const ResidualNorm y =
                           residual_norm(x[0], x[1], p[0], optional_parameter(p, 1), how);
                       return y.residual * 0.3 + y.normed;
                     }});
    cases.push_back({"bias_gelu",
                     {{r, m, out}},
                     with_bias({}, out),
                     [](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                       return bias_gelu(x[0], optional_parameter(p, 0), how);
                     }});
  }
}

void add_token_cases(int64_t r, int64_t m, int64_t width, int64_t vocabulary,
                     std::vector<LayerCase>& cases) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  const at::Tensor tokens = at::randint(0, vocabulary, {r, m}, generator, at::kLong);
  cases.push_back({"embed",
                   {},
                   {{r, vocabulary, width}},
                   [=](const Tensors&, const std::vector<Parameter>& p, const Execution& how) {
                     return embed(tokens, p[0], how);
                   }});
  cases.push_back({"tied head",
                   {{r, m, width}},
                   {{r, vocabulary, width}},
                   [=](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                     return head_loss(x[0], {p[0], EmbeddingTying::kTied}, tokens, how);
                   }});
  cases.push_back({"untied head",
                   {{r, m, width}},
                   {{r, width, vocabulary}},
                   [=](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                     return head_loss(x[0], {p[0], EmbeddingTying::kUntied}, tokens, how);
                   }});
}

void add_sequence_cases(int64_t r, int64_t windows, int64_t tokens, int64_t n_head, int64_t d_head,
                        std::vector<LayerCase>& cases) {
  const int64_t width = n_head * d_head;
  for (const bool turns : {false, true}) {
    if (turns && d_head % 2 != 0) continue;
    const RotaryTable table =
        turns ? make_rotary_table(tokens + 3, d_head, at::kCPU) : RotaryTable{};
    cases.push_back({"attention",
                     {{r, windows * tokens, 3 * width}},
                     {},
                     [=](const Tensors& x, const std::vector<Parameter>&, const Execution& how) {
                       return causal_attention(x[0], {windows, tokens, n_head}, table, how);
                     }});
  }
  cases.push_back({"positions",
                   {{r, windows, tokens, width}},
                   {{r, tokens + 2, width}},
                   [](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                     return add_positions(x[0], p[0], how);
                   }});
  cases.push_back({"lstm",
                   {{r, tokens, windows, width}},
                   {{r, width, 4 * width}, {r, width, 4 * width}, {r, 4 * width}},
                   [](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                     return lstm_layer(x[0], {p[0], p[1], p[2]}, how);
                   }});
}

std::vector<LayerCase> all_cases() {
  std::vector<LayerCase> cases;
  for (const int64_t r : {1, 3}) {
    // The last is wider than a vector and taller than a block of rows.
    for (const auto& [m, in, out] : {std::tuple{1, 1, 1}, {7, 5, 3}, {33, 20, 52}, {600, 39, 70}}) {
      add_dense_cases(r, m, in, out, cases);
      add_token_cases(r, m, in, out, cases);
    }
    add_sequence_cases(r, 1, 1, 1, 1, cases);
    add_sequence_cases(r, 2, 9, 3, 5, cases);
    add_sequence_cases(r, 3, 17, 2, 18, cases);
    add_sequence_cases(r, 1, 75, 2, 6, cases);  // attention in three blocks, the last partly filled
    add_sequence_cases(r, 1, 140, 1, 18, cases);  // in blocks for long windows
  }
  return cases;
}

std::string described(const LayerCase& layer, size_t value) {
  std::string text = layer.name + " value " + std::to_string(value) + " of";
  for (const auto& shapes : {layer.inputs, layer.parameters}) {
    for (const auto& shape : shapes) {
      text += " (";
      for (const int64_t size : shape) text += std::to_string(size) + " ";
      text += ")";
    }
  }
  return text;
}

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

// The floor is a few dozen roundings of numbers of unit size, which the kernels' exp and tanh (5e-7
// relative) and cancelling sums need where the twin happens to be exact.
TEST(Layers, Float32ErrorIsThatOfTheTwin) {
  for (const LayerCase& layer : all_cases()) {
    const Evaluated exact = evaluate(layer, at::kDouble, true);
    const Evaluated ours = evaluate(layer, at::kFloat, false);
    const Evaluated twin = evaluate(layer, at::kFloat, true);
    for (size_t i = 0; i < twin.values.size(); ++i) {
      const double twin_error = largest(twin.values[i] - exact.values[i]);
      EXPECT_LT(largest(ours.values[i] - exact.values[i]),
                2 * twin_error + 3e-6 * (1 + largest(exact.values[i])))
          << described(layer, i);
    }
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

// Along one random direction of all inputs and parameters together.
TEST(Layers, GradientsAreSlopesOfTheLoss) {
  constexpr double kStep = 1e-5;
  for (const LayerCase& layer : all_cases()) {
    const Tensors inputs = draw(layer.inputs, 3), parameters = draw(layer.parameters, 4);
    const Tensors input_steps = draw(layer.inputs, 8), parameter_steps = draw(layer.parameters, 9);
    const auto loss_at = [&](double step) {
      Tensors x, p;
      for (size_t i = 0; i < inputs.size(); ++i) x.push_back(inputs[i] + step * input_steps[i]);
      for (size_t i = 0; i < parameters.size(); ++i) {
        p.push_back(parameters[i] + step * parameter_steps[i]);
      }
      return weighted(layer.apply(x, as_parameters(p, at::kDouble), {at::kDouble, false}))
          .item<double>();
    };
    const Evaluated analytic = evaluate(layer, at::kDouble, false);
    double slope = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      slope += (analytic.values[1 + i] * input_steps[i]).sum().item<double>();
    }
    for (size_t i = 0; i < parameters.size(); ++i) {
      slope += (analytic.values[1 + inputs.size() + i] * parameter_steps[i]).sum().item<double>();
    }
    EXPECT_NEAR((loss_at(kStep) - loss_at(-kStep)) / (2 * kStep), slope,
                1e-6 * (1 + std::abs(slope)))
        << described(layer, 0);
  }
}

// On a CPU the products' operands are rounded to bf16, nothing else; the twin of attention is all
// bf16.
TEST(Layers, BFloat16ErrorIsThatOfTheTwin) {
  if (device_kernels() != nullptr) GTEST_SKIP() << "a device's linear maps give bf16";
  std::vector<LayerCase> cases;
  for (const int64_t r : {1, 3}) {
    add_dense_cases(r, 33, 20, 52, cases);
    add_sequence_cases(r, 2, 7, 3, 5, cases);
    add_sequence_cases(r, 1, 75, 2, 6, cases);
  }
  for (const LayerCase& layer : cases) {
    const bool linear = layer.name == "linear";
    if (!linear && layer.name.find("attention") != 0) continue;
    const Evaluated exact = evaluate(layer, at::kDouble, true);
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
