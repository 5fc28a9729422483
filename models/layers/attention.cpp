// Shapes: N = R*B windows, T tokens, H heads, D = d_head, W = H*D.
#include "models/layers/attention.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "models/kernels/attention.h"
#include "models/kernels/attention_bfloat16.h"
#include "models/kernels/dense_product.h"
#include "models/kernels/rotary.h"
#include "models/layers/device_launch.h"
#include "models/layers/rotary_heads.h"
#include "models/layers/row_blocks.h"

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

// One head of one window of (N, T, parts, H, D), float32 on the CPU.
class HeadRows {
 public:
  HeadRows(const at::Tensor& split, int64_t head)
      : data_(split.mutable_data_ptr<float>() + head / split.size(3) * split.stride(0) +
              head % split.size(3) * split.stride(3)),
        part_stride_(split.stride(2)),
        row_stride_(split.stride(1)) {}

  Matrix operator[](int64_t part) const { return {data_ + part * part_stride_, row_stride_}; }
  ConstMatrix reading(int64_t part) const { return {data_ + part * part_stride_, row_stride_}; }

 private:
  float* data_;
  int64_t part_stride_, row_stride_;
};

// Queries and keys of one head in place, by the table's angles; -1 turns back.
void rotate(const HeadRows& rows, const at::Tensor& split, const RotaryTable& rotary,
            float direction) {
  if (!rotary.cosine.defined()) return;
  for (const int64_t part : {0, 1}) {
    rotate_rows(split.size(1), split.size(4) / 2, rotary.cosine.const_data_ptr<float>(),
                rotary.sine.const_data_ptr<float>(), direction, rows[part]);
  }
}

// float32 on the CPU, below autograd so that the three gradients land in one buffer. Head:
// AttentionHead, or BFloat16AttentionHead.
template <typename Head>
class CpuAttentionFunction : public torch::autograd::Function<CpuAttentionFunction<Head>> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv,
                            const AttentionGeometry& geometry, const RotaryTable& rotary) {
    const at::Tensor split = split_heads(qkv.detach(), geometry, 3);
    at::Tensor out = at::empty({qkv.size(0), qkv.size(1), qkv.size(2) / 3}, qkv.options());
    const at::Tensor out_split = split_heads(out, geometry, 1);
    const int64_t heads = split.size(0) * split.size(3), tokens = split.size(1);
    const at::Tensor log_sum = at::empty({heads, tokens}, qkv.options());
    at::parallel_for(0, heads, /*grain_size=*/1, [&](int64_t begin, int64_t end) {
      Head attention(tokens, split.size(4));
      for (int64_t head = begin; head < end; ++head) {
        const HeadRows rows(split, head);
        rotate(rows, split, rotary, 1.0f);
        attention.forward(rows.reading(0), rows.reading(1), rows.reading(2),
                          HeadRows(out_split, head)[0],
                          log_sum.mutable_data_ptr<float>() + head * tokens);
      }
    });
    // The result itself: a view of it would hold on to it, and it to this node.
    context->save_for_backward({split, out, log_sum});
    context->saved_data["cosine"] = rotary.cosine;
    context->saved_data["sine"] = rotary.sine;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &split = saved[0], &log_sum = saved[2];
    const int64_t windows = split.size(0), tokens = split.size(1), n_head = split.size(3);
    const auto as_split = [&](const at::Tensor& x) {
      return x.view({windows, tokens, 1, n_head, split.size(4)});
    };
    const at::Tensor out = as_split(saved[1]), out_gradient = as_split(gradients[0].contiguous());
    const at::Tensor gradient = at::empty(split.sizes(), split.options());
    const RotaryTable rotary = {context->saved_data["cosine"].toTensor(),
                                context->saved_data["sine"].toTensor()};
    at::parallel_for(0, windows * n_head, /*grain_size=*/1, [&](int64_t begin, int64_t end) {
      Head attention(tokens, split.size(4));
      for (int64_t head = begin; head < end; ++head) {
        const HeadRows rows(split, head), into(gradient, head);
        attention.backward(rows.reading(0), rows.reading(1), rows.reading(2),
                           HeadRows(out, head).reading(0), HeadRows(out_gradient, head).reading(0),
                           log_sum.const_data_ptr<float>() + head * tokens, into[0], into[1],
                           into[2]);
        rotate(into, gradient, rotary, -1.0f);
      }
    });
    const at::Tensor& like = gradients[0];
    return {gradient.view({like.size(0), like.size(1), 3 * like.size(2)}), at::Tensor(),
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

// Of queries, keys and values (N, H, T, D), by ATen and through autograd.
at::Tensor attention_of(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const at::Tensor& qkv) {
  const auto as_rows = [&](const at::Tensor& out) {  // (N, H, T, D)
    return out.transpose(1, 2).reshape({qkv.size(0), qkv.size(1), qkv.size(2) / 3});
  };
  const auto causal = [](const at::Tensor& queries, const at::Tensor& keys,
                         const at::Tensor& values) {
    return at::scaled_dot_product_attention(queries, keys, values, {}, 0.0, /*is_causal=*/true);
  };
  // A part of a tensor costs backward a whole one of zeros.
  if (q.size(0) <= kMaxGridSize) return as_rows(causal(q, k, v));
  std::vector<at::Tensor> chunks;
  for (int64_t begin = 0; begin < q.size(0); begin += kMaxGridSize) {
    const int64_t count = std::min(kMaxGridSize, q.size(0) - begin);
    chunks.push_back(
        causal(q.narrow(0, begin, count), k.narrow(0, begin, count), v.narrow(0, begin, count)));
  }
  return as_rows(at::cat(chunks, 0));
}

// Any device: one unbind, whose backward is one stack.
at::Tensor attention_by_operators(const at::Tensor& qkv, const AttentionGeometry& geometry,
                                  const RotaryTable& rotary) {
  const std::vector<at::Tensor> parts = split_heads(qkv, geometry, 3).unbind(2);  // (N, T, H, D)
  at::Tensor q = parts[0].transpose(1, 2), k = parts[1].transpose(1, 2);
  if (rotary.cosine.defined()) {
    q = rotated(q, rotary);
    k = rotated(k, rotary);
  }
  return attention_of(q, k, parts[2].transpose(1, 2), qkv);
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
  RECORD_FUNCTION("attention", std::vector<c10::IValue>());
  TORCH_CHECK(qkv.size(1) == geometry.n_windows * geometry.n_tokens, "attention: ", qkv.size(1),
              " rows for ", geometry.n_windows, " windows of ", geometry.n_tokens, " tokens");
  TORCH_CHECK(geometry.n_head <= kMaxGridSize, "attention: n_head ", geometry.n_head, " above ",
              kMaxGridSize);
  if (execution.plain_operators) return plain::causal_attention(qkv, geometry, rotary);
  const bool on_device = kernels_for(qkv) != nullptr;
  if (on_device && rotary.cosine.defined()) {
    const variable_list heads = rotary_heads(qkv, geometry, rotary);
    return attention_of(heads[0], heads[1], heads[2], qkv);
  }
  if (!on_device && has_row_kernels(qkv)) {
    const bool bfloat16 = execution.compute_dtype == at::kBFloat16 && has_bfloat16_products();
    return bfloat16 ? CpuAttentionFunction<BFloat16AttentionHead>::apply(qkv, geometry, rotary)
                    : CpuAttentionFunction<AttentionHead>::apply(qkv, geometry, rotary);
  }
  return attention_by_operators(qkv, geometry, rotary);
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
