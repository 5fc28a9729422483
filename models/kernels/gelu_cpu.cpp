#include "models/kernels/gelu.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

// tanh(u) = 2 sigmoid(2 u) - 1, so that one exp gives the value and its slope.
constexpr float kTwoRootTwoOverPi = 1.5957691216057308f;
constexpr float kCubic = 0.044715f;

struct ValueAndSlope {
  float value, slope;
};

// Below -20 both are 0 to float32, where the clamped exp would leave z^3 something to multiply.
[[gnu::always_inline]] inline ValueAndSlope gelu(float x) {
  const float z = x < -20.0f ? -20.0f : x;
  const float square = z * z;
  const float s = vector_math::sigmoid(kTwoRootTwoOverPi * (z + kCubic * square * z));
  const float inner_slope = kTwoRootTwoOverPi * (1.0f + 3.0f * kCubic * square);
  return {z * s, s + z * s * (1.0f - s) * inner_slope};
}

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
