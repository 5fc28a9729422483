#include "models/layers/residual_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/add.h>
#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/native_layer_norm_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <tuple>

#include "models/layers/product.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

using MaybeTensor = std::optional<at::Tensor>;

MaybeTensor first_replica(const at::Tensor& parameter) {
  return parameter.defined() ? MaybeTensor(parameter.select(0, 0)) : std::nullopt;
}

// ATen's kernel has one gain for all rows; with more replicas it only normalises.
std::tuple<at::Tensor, at::Tensor, at::Tensor> norm_forward(const at::Tensor& x,
                                                            const at::Tensor& gain,
                                                            const at::Tensor& bias) {
  const int64_t width = x.size(2);
  if (x.size(0) == 1) {
    return at::native_layer_norm(x, {width}, first_replica(gain), first_replica(bias),
                                 kNormEpsilon);
  }
  auto [normed, mean, rstd] =
      at::native_layer_norm(x, {width}, std::nullopt, std::nullopt, kNormEpsilon);
  normed.mul_(gain.unsqueeze(1));
  if (bias.defined()) normed.add_(bias.unsqueeze(1));
  return {normed, mean, rstd};
}

at::Tensor norm_backward(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& mean,
                         const at::Tensor& rstd, const at::Tensor& gain,
                         const at::Tensor& gain_gradient, const at::Tensor& bias_gradient) {
  const int64_t width = x.size(2);
  const bool has_bias = bias_gradient.defined();
  if (x.size(0) == 1) {
    // The kernel wants a bias to know that there is one; its values are not read.
    auto [dx, dgain, dbias] = at::native_layer_norm_backward(
        gradient, x, {width}, mean, rstd, gain.select(0, 0),
        has_bias ? MaybeTensor(gain.select(0, 0)) : std::nullopt, {true, true, has_bias});
    gain_gradient.select(0, 0).add_(dgain);
    if (has_bias) bias_gradient.select(0, 0).add_(dbias);
    return dx;
  }
  const at::Tensor normed = (x - mean).mul_(rstd);
  add_row_sum(normed.mul_(gradient), gain_gradient);
  if (has_bias) add_row_sum(gradient, bias_gradient);
  return std::get<0>(at::native_layer_norm_backward(gradient * gain.unsqueeze(1), x, {width}, mean,
                                                    rstd, std::nullopt, std::nullopt,
                                                    {true, false, false}));
}

// With `branch` empty: norm alone, one output. Else two: the sum and its norm.
class ResidualNormFunction : public torch::autograd::Function<ResidualNormFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& residual,
                               const at::Tensor& branch, const at::Tensor& gain,
                               const Parameter& gain_parameter, const Parameter& bias_parameter) {
    const bool adds = branch.numel() > 0;
    const at::Tensor x = adds ? at::add(residual, branch) : residual;
    const at::Tensor bias = bias_parameter.declared() ? bias_parameter.value() : at::Tensor();
    auto [normed, mean, rstd] = norm_forward(x, gain, bias);
    context->saved_data["gain_gradient"] = gain_parameter.gradient();
    if (bias.defined()) context->saved_data["bias_gradient"] = bias_parameter.gradient();
    context->saved_data["adds"] = adds;
    context->save_for_backward({x, mean, rstd, gain});
    if (!adds) return {normed};
    context->set_materialize_grads(false);
    return {x, normed};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const bool adds = context->saved_data["adds"].toBool();
    const auto bias = context->saved_data.find("bias_gradient");
    at::Tensor dx;
    if (gradients.back().defined()) {
      dx =
          norm_backward(gradients.back().contiguous(), saved[0], saved[1], saved[2], saved[3],
                        context->saved_data["gain_gradient"].toTensor(),
                        bias != context->saved_data.end() ? bias->second.toTensor() : at::Tensor());
    }
    if (!adds) return {dx, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    if (gradients[0].defined()) dx = dx.defined() ? dx.add_(gradients[0]) : gradients[0];
    return {dx, dx, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor value_or_undefined(const Parameter& parameter) {
  return parameter.declared() ? parameter.value() : at::Tensor();
}

}  // namespace

ResidualNorm residual_norm(const at::Tensor& residual, const at::Tensor& branch,
                           const Parameter& gain, const Parameter& bias,
                           const Execution& execution) {
  if (execution.plain_operators) {
    const at::Tensor sum = residual + branch;
    return {sum, plain::norm(sum, gain.value(), value_or_undefined(bias))};
  }
  const variable_list out = ResidualNormFunction::apply(residual, branch, gain.value(), gain, bias);
  return {out[0], out[1]};
}

at::Tensor norm(const at::Tensor& x, const Parameter& gain, const Parameter& bias,
                const Execution& execution) {
  if (execution.plain_operators) {
    return plain::norm(x, gain.value(), value_or_undefined(bias));
  }
  const at::Tensor no_branch = x.new_empty({0});
  return ResidualNormFunction::apply(x, no_branch, gain.value(), gain, bias)[0];
}

at::Tensor plain::norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias) {
  const at::Tensor centred = x - x.mean(-1, /*keepdim=*/true);
  const at::Tensor variance = centred.square().mean(-1, /*keepdim=*/true);
  const at::Tensor normed = centred * (variance + kNormEpsilon).rsqrt() * gain.unsqueeze(1);
  return bias.defined() ? normed + bias.unsqueeze(1) : normed;
}

}  // namespace scalelaw
