#include "models/layers/bias_gelu.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "models/gradient_watch.h"
#include "models/kernels/gelu.h"
#include "models/layers/device_launch.h"
#include "models/layers/product.h"
#include "models/layers/row_blocks.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x becomes the slope.
at::Tensor forward_on_cpu(const at::Tensor& x, const at::Tensor& bias) {
  at::Tensor y = at::empty_like(x);
  const int64_t rows = x.size(1), width = x.size(2);
  for (int64_t r = 0; r < x.size(0); ++r) {
    auto* slope = x.mutable_data_ptr<float>() + r * rows * width;
    auto* value = y.mutable_data_ptr<float>() + r * rows * width;
    const float* row_bias = replica_vector(bias, r);
    const int64_t grain = std::max<int64_t>(1, kElementsPerTask / width);
    at::parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * width;
      bias_gelu_forward(end - begin, width, slope + at, row_bias, slope + at, value + at);
    });
  }
  return y;
}

// slope becomes the gradient of x.
void backward_on_cpu(const at::Tensor& y_gradient, const at::Tensor& slope,
                     const at::Tensor& bias_gradient) {
  const int64_t rows = slope.size(1), width = slope.size(2);
  const bool has_bias = bias_gradient.defined();
  for (int64_t r = 0; r < slope.size(0); ++r) {
    const auto* from = y_gradient.const_data_ptr<float>() + r * rows * width;
    auto* into = slope.mutable_data_ptr<float>() + r * rows * width;
    const auto sums = sum_row_blocks(
        rows, has_bias ? width : 0, [&](int64_t first, int64_t count, float* block_sums) {
          bias_gelu_backward(count, width, from + first * width, into + first * width,
                             has_bias ? block_sums : nullptr);
        });
    if (has_bias) add_to_replica(bias_gradient, r, sums.data());
  }
}

at::Tensor forward_on_device(const DeviceKernels& kernels, const at::Tensor& x,
                             const at::Tensor& bias) {
  at::Tensor y = at::empty_like(x);
  launch(kernels.gelu_forward,
         {.x = elements(x),
          .y = elements(y),
          .bias = replica_rows(bias),
          .replicas = x.size(0),
          .rows = x.size(1),
          .width = x.size(2),
          .type = element_type(x)},
         x.device());
  return y;
}

// x becomes its gradient.
void backward_on_device(const DeviceKernels& kernels, const at::Tensor& y_gradient,
                        const at::Tensor& x, const at::Tensor& bias,
                        const at::Tensor& bias_gradient) {
  const at::Tensor partial_sums = bias.defined() ? room_for_row_sums(x, x.size(2)) : at::Tensor();
  launch(kernels.gelu_backward,
         {.x = elements(x),
          .y_gradient = elements(y_gradient),
          .bias = replica_rows(bias),
          .bias_gradient = replica_rows(bias_gradient),
          .partial_sums = floats(partial_sums),
          .replicas = x.size(0),
          .rows = x.size(1),
          .width = x.size(2),
          .type = element_type(x)},
         x.device());
  if (bias_gradient.defined()) gradient_written(bias_gradient);
}

class BiasGeluFunction : public torch::autograd::Function<BiasGeluFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const Parameter& bias_parameter) {
    const at::Tensor biased = x.detach();
    const at::Tensor bias = bias_parameter.declared() ? bias_parameter.value() : at::Tensor();
    context->saved_data["bias"] = bias;
    if (bias.defined()) context->saved_data["bias_gradient"] = bias_parameter.gradient();
    context->saved_data["kept"] = biased;  // z; the slope of a CPU's kernel, x of a device's
    context->saved_data["spent"] = false;
    if (const DeviceKernels* kernels = kernels_for(biased)) {
      return forward_on_device(*kernels, biased, bias);
    }
    if (has_row_kernels(biased)) return forward_on_cpu(biased, bias);
    if (bias.defined()) biased.add_(bias.unsqueeze(1));
    return at::gelu(biased, "tanh");
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    auto& data = context->saved_data;
    TORCH_CHECK(!data["spent"].toBool(), "bias_gelu: backward ran twice through one forward");
    data["spent"] = true;
    const at::Tensor kept = data["kept"].toTensor();
    const auto bias = data.find("bias_gradient");
    const at::Tensor bias_gradient = bias == data.end() ? at::Tensor() : bias->second.toTensor();
    if (const DeviceKernels* kernels = kernels_for(kept)) {
      backward_on_device(*kernels, gradients[0].contiguous(), kept, data["bias"].toTensor(),
                         bias_gradient);
      return {kept, at::Tensor()};
    }
    if (has_row_kernels(kept)) {
      backward_on_cpu(gradients[0].contiguous(), kept, bias_gradient);
      return {kept, at::Tensor()};
    }
    const at::Tensor dx = at::gelu_backward(gradients[0], kept, "tanh");
    if (bias_gradient.defined()) add_row_sum(dx, bias_gradient);
    return {dx, at::Tensor()};
  }
};

}  // namespace

at::Tensor bias_gelu(const at::Tensor& x, const Parameter& bias, const Execution& execution) {
  RECORD_FUNCTION("bias_gelu", std::vector<c10::IValue>());
  if (execution.plain_operators) {
    return plain::bias_gelu(x, bias.declared() ? bias.value().to(x.scalar_type()) : at::Tensor());
  }
  return BiasGeluFunction::apply(x, bias);
}

at::Tensor plain::bias_gelu(const at::Tensor& x, const at::Tensor& bias) {
  const at::Tensor z = bias.defined() ? x + bias.unsqueeze(1) : x;
  const double scale = std::sqrt(2.0 / M_PI);
  return 0.5 * z * (1.0 + (scale * (z + 0.044715 * z * z * z)).tanh());
}

}  // namespace scalelaw
