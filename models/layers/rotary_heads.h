// Attention's operands with rotary positions, by a device's kernel.
#pragma once

#include <torch/csrc/autograd/variable.h>

#include "models/layers/attention.h"

namespace scalelaw {

// Queries, keys and values (R*B, H, T, D) of qkv (R, B*T, 3 W), views of it; queries and keys are
// turned in place. Their three gradients are turned back into one buffer in one pass.
torch::autograd::variable_list rotary_heads(const at::Tensor& qkv,
                                            const AttentionGeometry& geometry,
                                            const RotaryTable& rotary);

}  // namespace scalelaw
