// Shapes: N = R*B windows, T tokens, H heads, D = d_head, W = H*D.
#include "models/layers/rotary_heads.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "models/layers/device_launch.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

DeviceHeads device_heads(const at::Tensor& x) {  // (N, H, T, D)
  return {elements(x), x.stride(0), x.stride(1), x.stride(2)};
}

// parts (N, H, T, D) each into to (N, T, 3, H, D).
void turn(const variable_list& parts, const at::Tensor& to, const RotaryTable& rotary,
          float direction, bool values) {
  launch(kernels_for(to)->rotary,
         {.from = {device_heads(parts[0]), device_heads(parts[1]), device_heads(parts[2])},
          .to = elements(to),
          .cosine = floats(rotary.cosine),
          .sine = floats(rotary.sine),
          .windows = to.size(0),
          .tokens = to.size(1),
          .n_head = to.size(3),
          .d_head = to.size(4),
          .values = values,
          .direction = direction,
          .type = element_type(to)},
         to.device());
}

at::Tensor with_dense_rows(const at::Tensor& x) {
  return x.stride(3) == 1 || x.size(3) == 1 ? x : x.contiguous();
}

class RotaryHeadsFunction : public torch::autograd::Function<RotaryHeadsFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& qkv,
                               const AttentionGeometry& geometry, const RotaryTable& rotary) {
    const int64_t windows = qkv.size(0) * geometry.n_windows;
    const at::Tensor split = qkv.detach().view(
        {windows, geometry.n_tokens, 3, geometry.n_head, qkv.size(2) / (3 * geometry.n_head)});
    variable_list parts;
    for (const at::Tensor& part : split.unbind(2)) parts.push_back(part.transpose(1, 2));
    turn(parts, split, rotary, 1.0f, /*values=*/false);
    qkv.unsafeGetTensorImpl()->bump_version();  // who has saved it would find it turned
    context->saved_data["sizes"] = qkv.sizes().vec();
    context->saved_data["cosine"] = rotary.cosine;
    context->saved_data["sine"] = rotary.sine;
    return parts;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    auto& data = context->saved_data;
    variable_list parts;
    for (const at::Tensor& gradient : gradients) parts.push_back(with_dense_rows(gradient));
    const at::Tensor& like = parts[0];
    const at::Tensor gradient =
        at::empty({like.size(0), like.size(2), 3, like.size(1), like.size(3)}, like.options());
    turn(parts, gradient, {data["cosine"].toTensor(), data["sine"].toTensor()}, -1.0f,
         /*values=*/true);
    return {gradient.view(data["sizes"].toIntVector()), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

variable_list rotary_heads(const at::Tensor& qkv, const AttentionGeometry& geometry,
                           const RotaryTable& rotary) {
  return RotaryHeadsFunction::apply(qkv, geometry, rotary);
}

}  // namespace scalelaw
