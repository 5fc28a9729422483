#include "models/kernels/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/kernels/lanes.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

SCALELAW_VECTOR_CLONES
void raise_maxima(int64_t size, const float* __restrict score, float* __restrict maxima) {
  for (int64_t c = 0; c < size; ++c) maxima[c] = score[c] > maxima[c] ? score[c] : maxima[c];
}

SCALELAW_VECTOR_CLONES
void exponentiate(int64_t size, int64_t masked, float scale, const float* __restrict maxima,
                  float* __restrict score, float* __restrict sum) {
  for (int64_t c = 0; c < size; ++c) {
    const float exponential = vector_math::exp(scale * (score[c] - maxima[c]));
    score[c] = c < masked ? 0.0f : exponential;
    sum[c] += score[c];
  }
}

SCALELAW_VECTOR_CLONES
void backward_row(int64_t size, int64_t masked, float scale, const float* __restrict log_sum,
                  const float* __restrict mean_gradient, float* __restrict score,
                  float* __restrict gradient) {
  for (int64_t c = 0; c < size; ++c) {
    const float exponential = vector_math::exp(scale * score[c] - log_sum[c]);
    const float probability = c < masked ? 0.0f : exponential;
    score[c] = probability;
    gradient[c] = scale * probability * (gradient[c] - mean_gradient[c]);
  }
}

SCALELAW_VECTOR_CLONES
void add_products(int64_t size, const float* __restrict a, const float* __restrict b,
                  float* __restrict sum) {
  for (int64_t c = 0; c < size; ++c) sum[c] += a[c] * b[c];
}

SCALELAW_VECTOR_CLONES
float product_sum(int64_t size, const float* a, const float* b) {
  return lanes::sum(size, [=](int64_t c) { return a[c] * b[c]; });
}

SCALELAW_VECTOR_CLONES
void divide_row(int64_t size, const float* __restrict divisor, float* __restrict row) {
  for (int64_t c = 0; c < size; ++c) row[c] /= divisor[c];
}

}  // namespace

void causal_exponentials(int64_t keys, int64_t queries, int64_t first_query, float scale,
                         Matrix scores, float* sum, float* log_sum) {
  float* maxima = log_sum;
  std::fill_n(maxima, queries, kMasked);
  std::fill_n(sum, queries, 0.0f);
  for (int64_t r = 0; r < keys; ++r) {
    float* row = scores.data + r * scores.stride;
    if (r > first_query) std::fill_n(row, std::min(r - first_query, queries), kMasked);
    raise_maxima(queries, row, maxima);
  }
  for (int64_t r = 0; r < keys; ++r) {
    exponentiate(queries, r - first_query, scale, maxima, scores.data + r * scores.stride, sum);
  }
  for (int64_t c = 0; c < queries; ++c) log_sum[c] = std::log(sum[c]) + scale * maxima[c];
}

void causal_softmax_backward(int64_t keys, int64_t queries, float scale, const float* log_sum,
                             const float* mean_gradient, Matrix scores, Matrix gradients) {
  for (int64_t r = 0; r < keys; ++r) {
    backward_row(queries, r, scale, log_sum, mean_gradient, scores.data + r * scores.stride,
                 gradients.data + r * gradients.stride);
  }
}

void column_products(int64_t rows, int64_t columns, ConstMatrix a, ConstMatrix b, float* sum) {
  std::fill_n(sum, columns, 0.0f);
  for (int64_t r = 0; r < rows; ++r) {
    add_products(columns, a.data + r * a.stride, b.data + r * b.stride, sum);
  }
}

void row_products(int64_t rows, int64_t columns, ConstMatrix a, ConstMatrix b, float* sum) {
  for (int64_t r = 0; r < rows; ++r)
    sum[r] = product_sum(columns, a.data + r * a.stride, b.data + r * b.stride);
}

void divide_columns(int64_t rows, int64_t columns, const float* divisor, Matrix x) {
  for (int64_t r = 0; r < rows; ++r) divide_row(columns, divisor, x.data + r * x.stride);
}

}  // namespace scalelaw
