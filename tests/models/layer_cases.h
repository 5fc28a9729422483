// Every autograd Function of models/layers/ at sizes that are odd, tiny and larger than a block.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/execution.h"
#include "models/parameter_arena.h"

namespace scalelaw {

using Tensors = std::vector<at::Tensor>;

// One layer as a function of float inputs and parameters, all drawn N(0, 0.7^2).
struct LayerCase {
  std::string name;
  std::vector<std::vector<int64_t>> inputs, parameters;
  std::function<at::Tensor(const Tensors&, const std::vector<Parameter>&, const Execution&)> apply;
};

struct Evaluated {
  Tensors values;  // the output, then gradients of inputs, then of parameters; float64 on the CPU
};

std::vector<LayerCase> all_cases();
std::vector<LayerCase> gpu_cases();  // those and more, of sizes that take a GPU other ways
std::string described(const LayerCase& layer, size_t value);

Tensors draw(const std::vector<std::vector<int64_t>>& shapes, uint64_t seed);  // float64
at::Tensor weighted(const at::Tensor& output);  // the loss: a fixed random weighting of the output
std::vector<Parameter> as_parameters(const Tensors& values, at::ScalarType dtype,
                                     at::Device device = at::kCPU);
Evaluated evaluate(const LayerCase& layer, at::ScalarType dtype, bool plain,
                   at::Device device = at::kCPU);
// In float32 ours is at most twice as far from the exact as the twin. The floor is three roundings
// of numbers of unit size, where the twin happens to be exact; of an LSTM a dozen, since the error
// of its exp and tanh (5e-7 relative) passes through every step.
void expect_error_of_twin(const LayerCase& layer, const Evaluated& ours, const Evaluated& twin,
                          const Evaluated& exact);
// A case evaluated as training has a device's layers in bf16: input and result bf16, parameters and
// gradients float32.
Evaluated evaluate_in_bf16(const LayerCase& layer, bool plain, at::Device device);

}  // namespace scalelaw
