// Linear maps of R replicas at once.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/execution.h"
#include "models/parameter_arena.h"

namespace scalelaw {

// x (R, M, in) dense, weight [R, in, out], bias [R, out] or not declared -> (R, M, out) in
// execution.compute_dtype. Backward adds to the gradients of weight and bias where they lie.
at::Tensor linear(const at::Tensor& x, const Parameter& weight, const Parameter& bias,
                  const Execution& execution);

// The products of all layers; arrays [R, ...], any strides that the BLAS takes (no copies of
// arena views).
at::Tensor product(const at::Tensor& a, const at::Tensor& b);  // (R, M, K) (R, K, N)
// a b + bias, bias [R, N] or undefined.
at::Tensor product_plus_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias);
// sum += a^T b, (R, K, N) += (R, M, K)^T (R, M, N); in float32 (or float64) whatever a and b are.
void add_transposed_product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sum);
// sum += sum over rows of a, (R, N) += (R, M, N).
void add_row_sum(const at::Tensor& a, const at::Tensor& sum);

namespace plain {
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);
}  // namespace plain

}  // namespace scalelaw
