// The matrix products of all layers, over R replicas, each operand's rows dense. float32 and bf16
// on the CPU run on models/kernels/dense_product.h, all else on ATen. No arena view is copied
// except to be transposed.
#pragma once

#include <ATen/core/Tensor.h>

namespace scalelaw {

// The type of a product of such operands: theirs, but float32 of bf16 on a CPU. Only the products
// are bf16 there; what lies between them has kernels in float32 alone.
at::ScalarType product_type(const at::Tensor& operand);
at::Tensor product(const at::Tensor& a, const at::Tensor& b);  // (R, M, K) (R, K, N)
// The same by ATen into `out` (R, M, N) of the operands' type, whose rows may lie apart.
void product_into(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out);
// a b + bias, bias [R, N] of product_type(), or undefined.
at::Tensor product_plus_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias);
// sum += a^T b, (R, K, N) += (R, M, K)^T (R, M, N); in product_type() or float32.
void add_transposed_product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sum);
// sum += sum over rows of a, (R, N) += (R, M, N).
void add_row_sum(const at::Tensor& a, const at::Tensor& sum);

}  // namespace scalelaw
