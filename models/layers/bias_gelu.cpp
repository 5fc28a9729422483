#include "models/layers/bias_gelu.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "models/layers/product.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class BiasGeluFunction : public torch::autograd::Function<BiasGeluFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const Parameter& bias_parameter) {
    at::Tensor biased = x.detach();
    if (bias_parameter.declared()) {
      biased.add_(bias_parameter.value().unsqueeze(1));
      context->saved_data["bias_gradient"] = bias_parameter.gradient();
    }
    context->save_for_backward({biased});
    return at::gelu(biased, "tanh");
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor dx =
        at::gelu_backward(gradients[0], context->get_saved_variables()[0], "tanh");
    const auto bias = context->saved_data.find("bias_gradient");
    if (bias != context->saved_data.end()) add_row_sum(dx, bias->second.toTensor());
    return {dx, at::Tensor()};
  }
};

}  // namespace

at::Tensor bias_gelu(const at::Tensor& x, const Parameter& bias, const Execution& execution) {
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
