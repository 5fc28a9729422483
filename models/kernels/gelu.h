// Bias and GELU in its tanh form, rows at a time, forward and backward.
#pragma once

#include <cstdint>

namespace scalelaw {

// Of x [rows, width] dense and bias [width] (null: none), z = x + bias:
//   y = gelu(z) = 0.5 z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3)))
//   slope = gelu'(z); it may be x itself.
void bias_gelu_forward(int64_t rows, int64_t width, const float* x, const float* bias, float* slope,
                       float* y);

// slope: gelu'(z) in, gradient of z out; its columns are added to bias_sum [width] (null: not
// wanted).
void bias_gelu_backward(int64_t rows, int64_t width, const float* y_gradient, float* slope,
                        float* bias_sum);

}  // namespace scalelaw
