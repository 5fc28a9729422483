// Layer normalisation over the last dimension (Ba et al. 2016), eps 1e-5, with gain and optional
// bias, alone or behind the addition to the residual stream.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/execution.h"
#include "models/parameter_arena.h"

namespace scalelaw {

inline constexpr double kNormEpsilon = 1e-5;

struct ResidualNorm {
  at::Tensor residual;  // residual + branch, in residual's dtype
  at::Tensor normed;    // in residual's dtype; by a device's kernels in execution.compute_dtype
};

// What one block leaves to the next: the stream, and the branch that the next norm adds to it.
struct ResidualStream {
  at::Tensor residual;
  at::Tensor branch;  // undefined: nothing to add
};

// residual, branch (R, M, W) dense; gain, bias [R, W], bias may be undeclared.
ResidualNorm residual_norm(const at::Tensor& residual, const at::Tensor& branch,
                           const Parameter& gain, const Parameter& bias,
                           const Execution& execution);
ResidualNorm residual_norm(const ResidualStream& stream, const Parameter& gain,
                           const Parameter& bias, const Execution& execution);
at::Tensor norm(const at::Tensor& x, const Parameter& gain, const Parameter& bias,
                const Execution& execution);

namespace plain {
at::Tensor norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias);
}  // namespace plain

}  // namespace scalelaw
