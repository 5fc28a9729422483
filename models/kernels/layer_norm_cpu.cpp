#include "models/kernels/layer_norm.h"

#include <cmath>

#include "models/kernels/lanes.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

struct RowMoments {
  float mean, rstd;
};

SCALELAW_VECTOR_CLONES
void add_rows(int64_t size, const float* __restrict a, const float* __restrict b,
              float* __restrict sum) {
  for (int64_t j = 0; j < size; ++j) sum[j] = a[j] + b[j];
}

SCALELAW_VECTOR_CLONES
RowMoments moments_of(int64_t width, float epsilon, const float* x) {
  const auto count = static_cast<float>(width);
  const float mean = lanes::sum(width, [=](int64_t j) { return x[j]; }) / count;
  const float variance =
      lanes::sum(width, [=](int64_t j) { return (x[j] - mean) * (x[j] - mean); }) / count;
  return {mean, 1.0f / std::sqrt(variance + epsilon)};
}

SCALELAW_VECTOR_CLONES
void normalise(int64_t width, RowMoments moments, const float* __restrict x,
               const float* __restrict gain, float* __restrict normed) {
  for (int64_t j = 0; j < width; ++j) normed[j] = (x[j] - moments.mean) * moments.rstd * gain[j];
}

SCALELAW_VECTOR_CLONES
void normalise_with_bias(int64_t width, RowMoments moments, const float* __restrict x,
                         const float* __restrict gain, const float* __restrict bias,
                         float* __restrict normed) {
  for (int64_t j = 0; j < width; ++j) {
    normed[j] = (x[j] - moments.mean) * moments.rstd * gain[j] + bias[j];
  }
}

// With y = (x - mean) rstd and g = gain normed_gradient:
//   x_gradient = rstd (g - mean(g) - y mean(g y)) + residual_gradient
// g is kept in x_gradient, rounded once: at a row of one value rstd is large and g - mean(g) is 0.
struct Means {
  float g, gy;
};

SCALELAW_VECTOR_CLONES
Means begin_backward(int64_t width, RowMoments moments, const float* __restrict x,
                     const float* __restrict gain, const float* __restrict normed_gradient,
                     float* __restrict g, float* __restrict gain_sum) {
  for (int64_t j = 0; j < width; ++j) {
    g[j] = gain[j] * normed_gradient[j];
    gain_sum[j] += normed_gradient[j] * ((x[j] - moments.mean) * moments.rstd);
  }
  const auto count = static_cast<float>(width);
  const float sum_gy =
      lanes::sum(width, [=](int64_t j) { return g[j] * ((x[j] - moments.mean) * moments.rstd); });
  return {lanes::sum(width, [=](int64_t j) { return g[j]; }) / count, sum_gy / count};
}

SCALELAW_VECTOR_CLONES
void end_backward(int64_t width, RowMoments moments, Means means, const float* __restrict x,
                  float* __restrict g) {
  for (int64_t j = 0; j < width; ++j) {
    const float y = (x[j] - moments.mean) * moments.rstd;
    g[j] = moments.rstd * (g[j] - means.g - y * means.gy);
  }
}

SCALELAW_VECTOR_CLONES
void add_to(int64_t width, const float* __restrict row, float* __restrict sum) {
  for (int64_t j = 0; j < width; ++j) sum[j] += row[j];
}

}  // namespace

void norm_forward(int64_t rows, int64_t width, float epsilon, const float* residual,
                  const float* branch, const float* gain, const float* bias, float* sum,
                  float* normed, float* moments) {
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * width;
    const float* x = residual + at;
    if (branch != nullptr) {
      add_rows(width, residual + at, branch + at, sum + at);
      x = sum + at;
    }
    const RowMoments of_row = moments_of(width, epsilon, x);
    moments[2 * row] = of_row.mean;
    moments[2 * row + 1] = of_row.rstd;
    if (bias == nullptr) {
      normalise(width, of_row, x, gain, normed + at);
    } else {
      normalise_with_bias(width, of_row, x, gain, bias, normed + at);
    }
  }
}

void norm_backward(int64_t rows, int64_t width, const float* x, const float* moments,
                   const float* gain, const float* normed_gradient, const float* residual_gradient,
                   float* x_gradient, float* gain_sum, float* bias_sum) {
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * width;
    const RowMoments of_row = {moments[2 * row], moments[2 * row + 1]};
    if (bias_sum != nullptr) add_to(width, normed_gradient + at, bias_sum);
    const Means means = begin_backward(width, of_row, x + at, gain, normed_gradient + at,
                                       x_gradient + at, gain_sum);
    end_backward(width, of_row, means, x + at, x_gradient + at);
    if (residual_gradient != nullptr) add_to(width, residual_gradient + at, x_gradient + at);
  }
}

}  // namespace scalelaw
