#include "tests/models/layer_cases.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <tuple>

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

Parameter optional_parameter(const std::vector<Parameter>& parameters, size_t index) {
  return index < parameters.size() ? parameters[index] : Parameter();
}

// Linear maps, norms and activations alone: R = r, M = m.
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

void add_lstm_case(int64_t r, int64_t tokens, int64_t windows, int64_t width,
                   std::vector<LayerCase>& cases) {
  cases.push_back({"lstm",
                   {{r, tokens, windows, width}},
                   {{r, width, 4 * width}, {r, width, 4 * width}, {r, 4 * width}},
                   [](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                     return lstm_layer(x[0], {p[0], p[1], p[2]}, how);
                   }});
}

void add_sequence_cases(int64_t r, int64_t windows, int64_t tokens, int64_t n_head, int64_t d_head,
                        std::vector<LayerCase>& cases) {
  const int64_t width = n_head * d_head;
  for (const bool turns : {false, true}) {
    if (turns && d_head % 2 != 0) continue;
    cases.push_back({"attention",
                     {{r, windows * tokens, 3 * width}},
                     {},
                     [=](const Tensors& x, const std::vector<Parameter>&, const Execution& how) {
                       const RotaryTable table =
                           turns ? make_rotary_table(tokens + 3, d_head, x[0].device())
                                 : RotaryTable{};
                       return causal_attention(x[0], {windows, tokens, n_head}, table, how);
                     }});
  }
  cases.push_back({"positions",
                   {{r, windows, tokens, width}},
                   {{r, tokens + 2, width}},
                   [](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
                     return add_positions(x[0], p[0], how);
                   }});
  add_lstm_case(r, tokens, windows, width, cases);
}

void add_token_cases(int64_t r, int64_t m, int64_t width, int64_t vocabulary,
                     std::vector<LayerCase>& cases) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  const at::Tensor tokens = at::randint(0, vocabulary, {r, m}, generator, at::kLong);
  cases.push_back({"embed",
                   {},
                   {{r, vocabulary, width}},
                   [=](const Tensors&, const std::vector<Parameter>& p, const Execution& how) {
                     return embed(tokens.to(p[0].value().device()), p[0], how);
                   }});
  cases.push_back(
      {"tied head",
       {{r, m, width}},
       {{r, vocabulary, width}},
       [=](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
         return head_loss(x[0], {p[0], EmbeddingTying::kTied}, tokens.to(x[0].device()), how);
       }});
  cases.push_back(
      {"untied head",
       {{r, m, width}},
       {{r, width, vocabulary}},
       [=](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
         return head_loss(x[0], {p[0], EmbeddingTying::kUntied}, tokens.to(x[0].device()), how);
       }});
}

}  // namespace

Tensors draw(const std::vector<std::vector<int64_t>>& shapes, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  Tensors tensors;
  for (const auto& shape : shapes) {
    tensors.push_back(at::randn(shape, generator, at::kDouble) * 0.7);
  }
  return tensors;
}

at::Tensor weighted(const at::Tensor& output) {
  at::Generator generator = at::detail::createCPUGenerator(99);
  const at::Tensor weights = at::randn(output.sizes(), generator, at::kDouble);
  return (output * weights.to(output.device(), output.scalar_type())).sum();
}

std::vector<Parameter> as_parameters(const Tensors& values, at::ScalarType dtype,
                                     at::Device device) {
  std::vector<Parameter> parameters;
  for (const at::Tensor& value : values) {
    at::Tensor leaf = value.to(device, dtype).clone().requires_grad_(true);
    leaf.mutable_grad() = at::zeros_like(leaf);
    parameters.emplace_back(leaf, leaf.grad());
  }
  return parameters;
}

Evaluated evaluate(const LayerCase& layer, at::ScalarType dtype, bool plain, at::Device device) {
  Tensors inputs;
  for (const at::Tensor& input : draw(layer.inputs, 3)) {
    inputs.push_back(input.to(device, dtype).clone().requires_grad_(true));
  }
  const std::vector<Parameter> parameters = as_parameters(draw(layer.parameters, 4), dtype, device);
  Tensors fresh;  // some Functions write into their argument
  for (const at::Tensor& input : inputs) fresh.push_back(input * 1.0);
  const at::Tensor output = layer.apply(fresh, parameters, {dtype, plain});
  weighted(output).backward();
  Evaluated result{{output.detach().to(at::kCPU, at::kDouble)}};
  for (const at::Tensor& input : inputs)
    result.values.push_back(input.grad().to(at::kCPU, at::kDouble));
  for (const Parameter& parameter : parameters) {
    result.values.push_back(parameter.gradient().to(at::kCPU, at::kDouble));
  }
  return result;
}

void expect_error_of_twin(const LayerCase& layer, const Evaluated& ours, const Evaluated& twin,
                          const Evaluated& exact) {
  const double floor = layer.name == "lstm" ? 1.5e-6 : 4e-7;
  for (size_t i = 0; i < twin.values.size(); ++i) {
    const double twin_error = largest(twin.values[i] - exact.values[i]);
    EXPECT_LT(largest(ours.values[i] - exact.values[i]),
              2 * twin_error + floor * (1 + largest(exact.values[i])))
        << described(layer, i);
  }
}

Evaluated evaluate_in_bf16(const LayerCase& layer, bool plain, at::Device device) {
  LayerCase narrow = layer;
  narrow.apply = [&](const Tensors& x, const std::vector<Parameter>& p, const Execution&) {
    const at::Tensor y = layer.apply({x[0].to(at::kBFloat16)}, p, {at::kBFloat16, plain});
    return y.to(at::kBFloat16).to(at::kFloat);
  };
  return evaluate(narrow, at::kFloat, plain, device);
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
    // In the registers of a GPU's block, and in its shared memory too.
    for (const int64_t width : {56, 100}) add_lstm_case(r, 5, 3, width, cases);
  }
  return cases;
}

std::vector<LayerCase> gpu_cases() {
  std::vector<LayerCase> cases = all_cases();
  // Heads that LibTorch has more than its slowest attention for, in float32 as in bf16.
  for (const int64_t r : {1, 3}) {
    add_sequence_cases(r, 2, 64, 2, 16, cases);
    add_sequence_cases(r, 2, 130, 2, 64, cases);
  }
  // The widest that is one launch, and one that is a launch a step.
  for (const int64_t width : {128, 129}) add_lstm_case(2, 5, 3, width, cases);
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

}  // namespace scalelaw
