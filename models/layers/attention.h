// Causal multi-head attention between the query-key-value product and the output product
// (Vaswani et al. 2017), with rotary positions (Su et al. 2021) where asked for.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/execution.h"

namespace scalelaw {

// cos and sin of position x frequency, both (n_ctx, d_head / 2) float32. Pairs (j, j + d_head / 2)
// turn by position * 10000^(-2 j / d_head).
struct RotaryTable {
  at::Tensor cosine, sine;  // undefined: no rotary positions
};
RotaryTable make_rotary_table(int64_t n_ctx, int64_t d_head, at::Device device);

struct AttentionGeometry {
  int64_t n_windows = 0;  // B
  int64_t n_tokens = 0;   // T
  int64_t n_head = 0;     // H
};

// qkv (R, B*T, 3 W): all heads' queries, then keys, then values; a fresh result that nobody else
// reads (it is turned in place). -> (R, B*T, W), heads side by side.
at::Tensor causal_attention(const at::Tensor& qkv, const AttentionGeometry& geometry,
                            const RotaryTable& rotary, const Execution& execution);

namespace plain {
at::Tensor causal_attention(const at::Tensor& qkv, const AttentionGeometry& geometry,
                            const RotaryTable& rotary);
}  // namespace plain

}  // namespace scalelaw
