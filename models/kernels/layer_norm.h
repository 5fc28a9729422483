// Layer normalisation of rows, alone or behind the addition to a residual stream, forward and
// backward.
#pragma once

#include <cstdint>

namespace scalelaw {

// Of residual and branch [rows, width] dense (branch null: none), gain [width] and bias [width]
// (null: none):
//   sum = residual + branch (not written without a branch)
//   normed = (sum - mean) rstd gain + bias
//   moments [rows, 2]: of each row its mean and rstd = 1 / sqrt(its variance + epsilon)
void norm_forward(int64_t rows, int64_t width, float epsilon, const float* residual,
                  const float* branch, const float* gain, const float* bias, float* sum,
                  float* normed, float* moments);

// x is what was normalised. x_gradient = its gradient through the norm, plus residual_gradient
// (null: none). The gradients of gain and bias are added to gain_sum
// and bias_sum [width] (null: no bias).
void norm_backward(int64_t rows, int64_t width, const float* x, const float* moments,
                   const float* gain, const float* normed_gradient, const float* residual_gradient,
                   float* x_gradient, float* gain_sum, float* bias_sum);

}  // namespace scalelaw
