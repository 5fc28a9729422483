// Linear maps of R replicas at once.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/execution.h"
#include "models/parameter_arena.h"

namespace scalelaw {

// x (R, M, in) dense, weight [R, in, out], bias [R, out] or not declared -> (R, M, out) in
// product_type() of execution.compute_dtype. Backward adds to the gradients of weight and bias
// where they lie.
at::Tensor linear(const at::Tensor& x, const Parameter& weight, const Parameter& bias,
                  const Execution& execution);

namespace plain {
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);
}  // namespace plain

}  // namespace scalelaw
