// How a model computes, not what: the same numbers within tolerance whatever is chosen.
#pragma once

#include <c10/core/ScalarType.h>

namespace scalelaw {

struct Execution {
  // kBFloat16: products in bf16; masters, accumulated gradients, norms and losses in float32.
  at::ScalarType compute_dtype = at::kFloat;
  bool plain_operators = false;   // true: every layer as plain autograd operators, the slow twin
  bool recompute_blocks = false;  // blocks run again in backward (models/layers/recompute.h)
};

}  // namespace scalelaw
