// Between float32 and bf16, for products in bf16.
#pragma once

#include <ATen/core/Tensor.h>

namespace scalelaw {

// x in `dtype`; x itself where it is that already. Dense tensors on a CPU by
// models/kernels/bfloat16.h, all else by ATen.
at::Tensor cast(const at::Tensor& x, at::ScalarType dtype);

}  // namespace scalelaw
