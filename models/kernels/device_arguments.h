// What each kernel of models/kernels/device_kernels.h works on.
#pragma once

#include <cstdint>

namespace scalelaw {

// One update of every active replica, models/kernels/adamw_math.h. Rows of `table` [R, 8] float32:
// beta1, beta2, epsilon, gradient scale, learning rate x weight decay, step size, root correction,
// active. Where `active` is 0 neither the row nor its moments are read or written.
struct AdamWArguments {
  float *values, *first_moment, *second_moment;  // [R, P]
  const float* gradients;                        // [R, P]
  const float* decays;                           // [P], 1 where weight decay applies, else 0
  const float* table;
  int64_t replicas, row_length;
};
inline constexpr int64_t kAdamWColumns = 8;

// norms [R] = sqrt(sum over each row of gradients [R, P] of its squares).
struct GradientNormArguments {
  const float* gradients;
  float* norms;
  float* partial_sums;  // room for R x norm_parts(P)
  int64_t replicas, row_length;
};
inline constexpr int64_t kElementsPerNormPart = 8192;
constexpr int64_t norm_parts(int64_t row_length) {
  return (row_length + kElementsPerNormPart - 1) / kElementsPerNormPart;
}

}  // namespace scalelaw
