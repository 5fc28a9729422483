// Bias, then GELU in its tanh form (Hendrycks and Gimpel 2016; GPT-2's).
#pragma once

#include <ATen/core/Tensor.h>

#include "models/execution.h"
#include "models/parameter_arena.h"

namespace scalelaw {

// x (R, M, F) dense, a fresh result that nobody else reads: the bias is added in place.
// bias [R, F] or not declared.
at::Tensor bias_gelu(const at::Tensor& x, const Parameter& bias, const Execution& execution);

namespace plain {
// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
at::Tensor bias_gelu(const at::Tensor& x, const at::Tensor& bias);
}  // namespace plain

}  // namespace scalelaw
