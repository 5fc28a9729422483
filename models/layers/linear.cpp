#include "models/layers/linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "models/layers/cast.h"
#include "models/layers/product.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const Parameter& weight_parameter, const Parameter& bias_parameter,
                            at::ScalarType dtype) {
    const at::Tensor x_cast = cast(x, dtype);
    const at::Tensor weight_cast = cast(weight, dtype);
    const at::Tensor bias =
        bias_parameter.declared() ? bias_parameter.value().to(product_type(x_cast)) : at::Tensor();
    context->save_for_backward({x_cast, weight_cast});
    // Not among the saved variables: their version check would trip over every other layer's
    // addition to the same arena.
    context->saved_data["weight_gradient"] = weight_parameter.gradient();
    if (bias.defined()) context->saved_data["bias_gradient"] = bias_parameter.gradient();
    context->saved_data["input_needs_gradient"] = x.requires_grad();
    return product_plus_bias(x_cast, weight_cast, bias);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor result_gradient = gradients[0].contiguous();
    const at::Tensor gradient = cast(result_gradient, saved[0].scalar_type());
    add_transposed_product(saved[0], gradient, context->saved_data["weight_gradient"].toTensor());
    const auto bias = context->saved_data.find("bias_gradient");
    if (bias != context->saved_data.end()) add_row_sum(result_gradient, bias->second.toTensor());
    at::Tensor x_gradient;
    if (context->saved_data["input_needs_gradient"].toBool()) {
      x_gradient = product(gradient, saved[1].transpose(1, 2));
    }
    return {x_gradient, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const Parameter& weight, const Parameter& bias,
                  const Execution& execution) {
  RECORD_FUNCTION("linear", std::vector<c10::IValue>());
  const at::ScalarType dtype = execution.compute_dtype;
  if (execution.plain_operators) {
    const at::Tensor y = plain::linear(x.to(dtype), weight.value().to(dtype),
                                       bias.declared() ? bias.value().to(dtype) : at::Tensor());
    return y.to(product_type(y));
  }
  return LinearFunction::apply(x, weight.value(), weight, bias, dtype);
}

at::Tensor plain::linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor y = at::bmm(x, weight);
  return bias.defined() ? y + bias.unsqueeze(1) : y;
}

}  // namespace scalelaw
