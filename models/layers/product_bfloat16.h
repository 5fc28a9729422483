// Products of dense bf16 tensors on a CPU that multiplies in bf16 (has_bfloat16_products()), summed
// and left in float32. For models/layers/product.cpp.
#pragma once

#include <ATen/core/Tensor.h>

namespace scalelaw::bfloat16 {

// out (R, M, N) = a b, or += a b; b (R, K, N) with dense rows or a transposed view of such.
void multiply(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out, bool add);
// sum += a^T b, (R, K, N) += (R, M, K)^T (R, M, N).
void add_transposed_product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sum);

}  // namespace scalelaw::bfloat16
