#include "models/kernels/layer_norm.h"

#include <algorithm>
#include <cmath>

#include "models/kernels/column_sum.h"
#include "models/kernels/lanes.h"
#include "models/kernels/layer_norm_math.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

// Each function below does one thing to all rows of a block: a sum over a row is a chain of
// dependent steps, and the chains of several rows then run side by side. A block's rows stay in the
// first-level cache.
constexpr int64_t kBlockElements = 1024;

SCALELAW_VECTOR_CLONES
void add_matrices(int64_t size, const float* __restrict a, const float* __restrict b,
                  float* __restrict sum) {
  for (int64_t j = 0; j < size; ++j) sum[j] = a[j] + b[j];
}

SCALELAW_VECTOR_CLONES
void find_means(int64_t rows, int64_t width, const float* __restrict x, float* __restrict moments) {
  const auto count = static_cast<float>(width);
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * width;
    moments[2 * r] = lanes::sum(width, [=](int64_t j) { return row[j]; }) / count;
  }
}

SCALELAW_VECTOR_CLONES
void find_rstds(int64_t rows, int64_t width, float epsilon, const float* __restrict x,
                float* __restrict moments) {
  const auto count = static_cast<float>(width);
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * width;
    const float mean = moments[2 * r];
    moments[2 * r + 1] =
        lanes::sum(width, [=](int64_t j) { return (row[j] - mean) * (row[j] - mean); }) / count;
  }
  for (int64_t r = 0; r < rows; ++r) {
    moments[2 * r + 1] = 1.0f / std::sqrt(moments[2 * r + 1] + epsilon);
  }
}

SCALELAW_VECTOR_CLONES
void normalise(int64_t rows, int64_t width, const float* __restrict moments,
               const float* __restrict x, const float* __restrict gain, float* __restrict normed) {
  for (int64_t r = 0; r < rows; ++r) {
    const float mean = moments[2 * r], rstd = moments[2 * r + 1];
    for (int64_t j = 0; j < width; ++j) {
      normed[r * width + j] = normalised(x[r * width + j], mean, rstd, gain[j]);
    }
  }
}

SCALELAW_VECTOR_CLONES
void add_to_rows(int64_t rows, int64_t width, const float* __restrict bias, float* __restrict x) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < width; ++j) x[r * width + j] += bias[j];
  }
}

// g of norm_gradient() is kept in x_gradient, rounded once: in a row of one value rstd is large and
// g - mean(g) is 0.
SCALELAW_VECTOR_CLONES
void apply_gain(int64_t rows, int64_t width, const float* __restrict moments,
                const float* __restrict x, const float* __restrict gain,
                const float* __restrict normed_gradient, float* __restrict g,
                float* __restrict gain_sum) {
  for (int64_t r = 0; r < rows; ++r) {
    const float mean = moments[2 * r], rstd = moments[2 * r + 1];
    for (int64_t j = 0; j < width; ++j) {
      const int64_t at = r * width + j;
      g[at] = gain[j] * normed_gradient[at];
      gain_sum[j] += normed_gradient[at] * ((x[at] - mean) * rstd);
    }
  }
}

// means [rows, 2]: of g and of g y.
SCALELAW_VECTOR_CLONES
void find_gradient_means(int64_t rows, int64_t width, const float* __restrict moments,
                         const float* __restrict x, const float* __restrict g,
                         float* __restrict means) {
  const auto count = static_cast<float>(width);
  for (int64_t r = 0; r < rows; ++r) {
    const float mean = moments[2 * r], rstd = moments[2 * r + 1];
    const float *row = x + r * width, *row_g = g + r * width;
    means[2 * r] = lanes::sum(width, [=](int64_t j) { return row_g[j]; }) / count;
    means[2 * r + 1] =
        rstd * (lanes::sum(width, [=](int64_t j) { return row_g[j] * (row[j] - mean); }) / count);
  }
}

SCALELAW_VECTOR_CLONES
void take_means_away(int64_t rows, int64_t width, const float* __restrict moments,
                     const float* __restrict means, const float* __restrict x,
                     float* __restrict g) {
  for (int64_t r = 0; r < rows; ++r) {
    const float mean = moments[2 * r], rstd = moments[2 * r + 1];
    const float mean_g = means[2 * r], mean_gy = means[2 * r + 1];
    for (int64_t j = 0; j < width; ++j) {
      const int64_t at = r * width + j;
      g[at] = norm_gradient(g[at], x[at], mean, rstd, mean_g, mean_gy);
    }
  }
}

int64_t rows_of_a_block(int64_t width) {
  return std::max<int64_t>(1, kBlockElements / width);
}

}  // namespace

void norm_forward(int64_t rows, int64_t width, float epsilon, const float* residual,
                  const float* branch, const float* gain, const float* bias, float* sum,
                  float* normed, float* moments) {
  const int64_t step = rows_of_a_block(width);
  for (int64_t first = 0; first < rows; first += step) {
    const int64_t count = std::min(step, rows - first), at = first * width;
    const float* x = residual + at;
    if (branch != nullptr) {
      add_matrices(count * width, residual + at, branch + at, sum + at);
      x = sum + at;
    }
    find_means(count, width, x, moments + 2 * first);
    find_rstds(count, width, epsilon, x, moments + 2 * first);
    normalise(count, width, moments + 2 * first, x, gain, normed + at);
    if (bias != nullptr) add_to_rows(count, width, bias, normed + at);
  }
}

void norm_backward(int64_t rows, int64_t width, const float* x, const float* moments,
                   const float* gain, const float* normed_gradient, const float* residual_gradient,
                   float* x_gradient, float* gain_sum, float* bias_sum) {
  const int64_t step = rows_of_a_block(width);
  float means[2 * kBlockElements];
  for (int64_t first = 0; first < rows; first += step) {
    const int64_t count = std::min(step, rows - first), at = first * width;
    const float *of_rows = moments + 2 * first, *row_x = x + at;
    float* g = x_gradient + at;
    apply_gain(count, width, of_rows, row_x, gain, normed_gradient + at, g, gain_sum);
    find_gradient_means(count, width, of_rows, row_x, g, means);
    take_means_away(count, width, of_rows, means, row_x, g);
    if (bias_sum != nullptr) add_column_sums(count, width, normed_gradient + at, bias_sum);
    if (residual_gradient != nullptr) {
      add_column_sums(1, count * width, residual_gradient + at, g);
    }
  }
}

}  // namespace scalelaw
