// Shapes: N = R*B windows, T tokens, H heads, D = d_head, W = H*D.
#include "models/layers/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kMaxGridSize = 65535;  // of CUDA attention kernels, for N and for H

// (R, B*T, parts W) -> (N, T, parts, H, D), no copy.
at::Tensor split_heads(const at::Tensor& x, const AttentionGeometry& geometry, int64_t parts) {
  const int64_t windows = x.size(0) * geometry.n_windows;
  const int64_t d_head = x.size(2) / (parts * geometry.n_head);
  return x.view({windows, geometry.n_tokens, parts, geometry.n_head, d_head});
}

// Part `index` of (N, T, parts, H, D) as attention wants it, (N, H, T, D), no copy.
at::Tensor part(const at::Tensor& split, int64_t index) {
  return split.select(2, index).transpose(1, 2);
}

// Turns the queries and keys of (N, T, 3, H, D) in place by the table's angles; -1 turns back.
void rotate(const at::Tensor& split, const RotaryTable& rotary, double direction) {
  const int64_t half = split.size(4) / 2, tokens = split.size(1);
  const auto table = [&](const at::Tensor& values) {
    return values.narrow(0, 0, tokens).view({1, tokens, 1, 1, half}).to(split.scalar_type());
  };
  const at::Tensor cosine = table(rotary.cosine), sine = table(rotary.sine) * direction;
  const at::Tensor turned = split.narrow(2, 0, 2);
  const at::Tensor first = turned.narrow(4, 0, half), second = turned.narrow(4, half, half);
  const at::Tensor first_result = first * cosine - second * sine;
  second.mul_(cosine).addcmul_(first, sine);
  first.copy_(first_result);
}

// The CPU's flash attention, called below its autograd so that the three gradients land in one
// buffer.
class CpuAttentionFunction : public torch::autograd::Function<CpuAttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv,
                            const AttentionGeometry& geometry, const RotaryTable& rotary) {
    const at::Tensor split = split_heads(qkv.detach(), geometry, 3);
    if (rotary.cosine.defined()) rotate(split, rotary, 1.0);
    auto [out, log_sum] = at::_scaled_dot_product_flash_attention_for_cpu(
        part(split, 0), part(split, 1), part(split, 2), 0.0, /*is_causal=*/true);
    context->save_for_backward({split, out, log_sum});
    context->saved_data["cosine"] = rotary.cosine;
    context->saved_data["sine"] = rotary.sine;
    return out.transpose(1, 2).reshape({qkv.size(0), qkv.size(1), qkv.size(2) / 3});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& split = saved[0];
    const int64_t windows = split.size(0), tokens = split.size(1), heads = split.size(3),
                  d_head = split.size(4);
    const at::Tensor gradient =
        gradients[0].contiguous().view({windows, tokens, heads, d_head}).transpose(1, 2);
    const auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
        gradient, part(split, 0), part(split, 1), part(split, 2), saved[1], saved[2], 0.0,
        /*is_causal=*/true);
    const at::Tensor split_gradient = at::empty(split.sizes(), split.options());
    part(split_gradient, 0).copy_(dq);
    part(split_gradient, 1).copy_(dk);
    part(split_gradient, 2).copy_(dv);
    const RotaryTable rotary = {context->saved_data["cosine"].toTensor(),
                                context->saved_data["sine"].toTensor()};
    if (rotary.cosine.defined()) rotate(split_gradient, rotary, -1.0);
    const at::Tensor& like = gradients[0];
    return {split_gradient.view({like.size(0), like.size(1), 3 * like.size(2)}), at::Tensor(),
            at::Tensor()};
  }
};

// Rotary without changing its argument, for autograd.
at::Tensor rotated(const at::Tensor& x, const RotaryTable& rotary) {  // (N, H, T, D)
  const int64_t half = x.size(3) / 2, tokens = x.size(2);
  const at::Tensor cosine = rotary.cosine.narrow(0, 0, tokens).to(x.scalar_type());
  const at::Tensor sine = rotary.sine.narrow(0, 0, tokens).to(x.scalar_type());
  const at::Tensor first = x.narrow(3, 0, half), second = x.narrow(3, half, half);
  return at::cat({first * cosine - second * sine, second * cosine + first * sine}, 3);
}

// Any device, through autograd: one unbind, whose backward is one stack.
at::Tensor attention_by_autograd(const at::Tensor& qkv, const AttentionGeometry& geometry,
                                 const RotaryTable& rotary) {
  const std::vector<at::Tensor> parts = split_heads(qkv, geometry, 3).unbind(2);  // (N, T, H, D)
  at::Tensor q = parts[0].transpose(1, 2), k = parts[1].transpose(1, 2);
  const at::Tensor v = parts[2].transpose(1, 2);
  if (rotary.cosine.defined()) {
    q = rotated(q, rotary);
    k = rotated(k, rotary);
  }
  std::vector<at::Tensor> chunks;
  for (int64_t begin = 0; begin < q.size(0); begin += kMaxGridSize) {
    const int64_t count = std::min(kMaxGridSize, q.size(0) - begin);
    chunks.push_back(at::scaled_dot_product_attention(
        q.narrow(0, begin, count), k.narrow(0, begin, count), v.narrow(0, begin, count), {}, 0.0,
        /*is_causal=*/true));
  }
  const at::Tensor out = chunks.size() == 1 ? chunks[0] : at::cat(chunks, 0);  // (N, H, T, D)
  return out.transpose(1, 2).reshape({qkv.size(0), qkv.size(1), qkv.size(2) / 3});
}

}  // namespace

RotaryTable make_rotary_table(int64_t n_ctx, int64_t d_head, at::Device device) {
  const auto options = at::TensorOptions().dtype(at::kDouble);
  const at::Tensor frequencies =
      at::pow(10000.0, at::arange(0, d_head, 2, options) / -static_cast<double>(d_head));
  const at::Tensor angles = at::outer(at::arange(n_ctx, options), frequencies);
  return {angles.cos().to(at::kFloat).to(device), angles.sin().to(at::kFloat).to(device)};
}

at::Tensor causal_attention(const at::Tensor& qkv, const AttentionGeometry& geometry,
                            const RotaryTable& rotary, const Execution& execution) {
  TORCH_CHECK(qkv.size(1) == geometry.n_windows * geometry.n_tokens, "attention: ", qkv.size(1),
              " rows for ", geometry.n_windows, " windows of ", geometry.n_tokens, " tokens");
  TORCH_CHECK(geometry.n_head <= kMaxGridSize, "attention: n_head ", geometry.n_head, " above ",
              kMaxGridSize);
  if (execution.plain_operators) return plain::causal_attention(qkv, geometry, rotary);
  if (qkv.is_cpu()) return CpuAttentionFunction::apply(qkv, geometry, rotary);
  return attention_by_autograd(qkv, geometry, rotary);
}

at::Tensor plain::causal_attention(const at::Tensor& qkv, const AttentionGeometry& geometry,
                                   const RotaryTable& rotary) {
  const at::Tensor split = split_heads(qkv, geometry, 3);
  at::Tensor q = part(split, 0), k = part(split, 1);
  const at::Tensor v = part(split, 2);
  if (rotary.cosine.defined()) {
    q = rotated(q, rotary);
    k = rotated(k, rotary);
  }
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
  const at::Tensor scores = q.matmul(k.transpose(2, 3)) * scale;  // (N, H, T, T)
  const at::Tensor future =
      at::ones({geometry.n_tokens, geometry.n_tokens}, qkv.options().dtype(at::kBool)).triu(1);
  const at::Tensor weights =
      scores.masked_fill(future, -std::numeric_limits<double>::infinity()).softmax(-1);
  return weights.matmul(v).transpose(1, 2).reshape({qkv.size(0), qkv.size(1), qkv.size(2) / 3});
}

}  // namespace scalelaw
