#include "models/kernels/gelu.h"

#include "models/kernels/gelu_math.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

SCALELAW_VECTOR_CLONES
void forward_row(int64_t width, const float* x, const float* bias, float* slope,
                 float* __restrict y) {
#pragma GCC ivdep
  for (int64_t j = 0; j < width; ++j) {
    const ValueAndSlope at_z = gelu(x[j] + bias[j]);
    slope[j] = at_z.slope;
    y[j] = at_z.value;
  }
}

SCALELAW_VECTOR_CLONES
void forward_row_without_bias(int64_t width, const float* x, float* slope, float* __restrict y) {
#pragma GCC ivdep
  for (int64_t j = 0; j < width; ++j) {
    const ValueAndSlope at_x = gelu(x[j]);
    slope[j] = at_x.slope;
    y[j] = at_x.value;
  }
}

SCALELAW_VECTOR_CLONES
void backward_row(int64_t width, const float* __restrict y_gradient, float* __restrict slope,
                  float* __restrict bias_sum) {
  for (int64_t j = 0; j < width; ++j) {
    slope[j] *= y_gradient[j];
    bias_sum[j] += slope[j];
  }
}

SCALELAW_VECTOR_CLONES
void backward_row_without_bias(int64_t width, const float* __restrict y_gradient,
                               float* __restrict slope) {
  for (int64_t j = 0; j < width; ++j) slope[j] *= y_gradient[j];
}

}  // namespace

void bias_gelu_forward(int64_t rows, int64_t width, const float* x, const float* bias, float* slope,
                       float* y) {
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * width;
    if (bias == nullptr) {
      forward_row_without_bias(width, x + at, slope + at, y + at);
    } else {
      forward_row(width, x + at, bias, slope + at, y + at);
    }
  }
}

void bias_gelu_backward(int64_t rows, int64_t width, const float* y_gradient, float* slope,
                        float* bias_sum) {
  if (bias_sum == nullptr) {
    backward_row_without_bias(rows * width, y_gradient, slope);
    return;
  }
  for (int64_t row = 0; row < rows; ++row) {
    backward_row(width, y_gradient + row * width, slope + row * width, bias_sum);
  }
}

}  // namespace scalelaw
