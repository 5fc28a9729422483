// The matrix products of all layers, over R replicas, each operand's rows dense. float32 on the CPU
// runs on models/kernels/dense_product.h, all else on ATen. No arena view is copied except to be
// transposed.
#pragma once

#include <ATen/core/Tensor.h>

namespace scalelaw {

at::Tensor product(const at::Tensor& a, const at::Tensor& b);  // (R, M, K) (R, K, N)
// a b + bias, bias [R, N] or undefined.
at::Tensor product_plus_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias);
// sum += a^T b, (R, K, N) += (R, M, K)^T (R, M, N); in float32 (or float64) whatever a and b are.
void add_transposed_product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sum);
// sum += sum over rows of a, (R, N) += (R, M, N).
void add_row_sum(const at::Tensor& a, const at::Tensor& sum);

}  // namespace scalelaw
