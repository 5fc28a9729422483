#include "models/layers/cast.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include "models/kernels/bfloat16_operands.h"
#include "models/layers/row_blocks.h"

namespace scalelaw {
namespace {

constexpr int64_t kGrain = 2 * kElementsPerTask;

bool has_kernel(const at::Tensor& x, at::ScalarType from) {
  return x.is_cpu() && x.is_contiguous() && x.scalar_type() == from;
}

const BFloat16* bits(const at::Tensor& x) {
  return static_cast<const BFloat16*>(x.const_data_ptr());
}

}  // namespace

at::Tensor cast(const at::Tensor& x, at::ScalarType dtype) {
  if (dtype == at::kBFloat16 && has_kernel(x, at::kFloat)) {
    at::Tensor y = at::empty_like(x, x.options().dtype(dtype));
    const auto* from = x.const_data_ptr<float>();
    auto* to = static_cast<BFloat16*>(y.mutable_data_ptr());
    at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
      to_bfloat16(end - begin, from + begin, to + begin);
    });
    return y;
  }
  if (dtype == at::kFloat && has_kernel(x, at::kBFloat16)) {
    at::Tensor y = at::empty_like(x, x.options().dtype(dtype));
    auto* to = y.mutable_data_ptr<float>();
    at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
      from_bfloat16(end - begin, bits(x) + begin, to + begin);
    });
    return y;
  }
  return x.to(dtype);
}

}  // namespace scalelaw
