// What each kernel of models/kernels/device_kernels.h works on; the LSTM's: lstm_arguments.h.
#pragma once

#include <cstdint>

#include "models/kernels/device_operands.h"

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
  float* partial_sums;  // [R, norm_parts(P)]
  int64_t replicas, row_length;
};
inline constexpr int64_t kElementsPerNormPart = 8192;
constexpr int64_t norm_parts(int64_t row_length) {
  return (row_length + kElementsPerNormPart - 1) / kElementsPerNormPart;
}

// As cross_entropy_rows() of models/kernels/cross_entropy.h; rows of logits lie row_stride apart.
struct CrossEntropyArguments {
  void* logits;  // of `type`
  const int64_t* targets;
  float* loss_nats;
  bool* correct;  // null: not wanted
  int64_t rows, vocabulary, row_stride;
  float gradient_scale;
  ElementType type;
};

// As norm_forward() of models/kernels/layer_norm.h, width at most kMaxNormWidth.
struct NormForwardArguments {
  const float* residual;
  const void* branch;  // of branch_type; null: none, and no sum
  DeviceRows gain, bias;
  float* sum;
  void* normed;    // of normed_type
  float* moments;  // [R, rows, 2]
  int64_t replicas, rows, width;
  float epsilon;
  ElementType branch_type, normed_type;
};
inline constexpr int64_t kMaxNormWidth = 4096;

// As norm_backward() of models/kernels/layer_norm.h, width at most kMaxNormWidth.
struct NormBackwardArguments {
  const float *x, *moments;
  const void* normed_gradient;     // of normed_type
  const float* residual_gradient;  // null: none
  float* x_gradient;
  void* x_gradient_bf16;  // the same again in bf16; null: not wanted
  DeviceRows gain, gain_gradient, bias_gradient;
  float* partial_sums;  // [R, row_parts(rows), 2 width]
  int64_t replicas, rows, width;
  ElementType normed_type;
};

// y = gelu(x + bias), models/kernels/gelu_math.h; x and y of `type`.
struct GeluForwardArguments {
  const void* x;
  void* y;
  DeviceRows bias;
  int64_t replicas, rows, width;
  ElementType type;
};

// x becomes its gradient, whose columns are added to bias_gradient.
struct GeluBackwardArguments {
  void* x;
  const void* y_gradient;
  DeviceRows bias, bias_gradient;
  float* partial_sums;  // [R, row_parts(rows), width]; null without bias_gradient
  int64_t replicas, rows, width;
  ElementType type;
};

// sum [R, width] += sum over rows of x, of `type`.
struct ColumnSumArguments {
  const void* x;
  DeviceRows sum;
  float* partial_sums;  // [R, row_parts(rows), width]
  int64_t replicas, rows, width;
  ElementType type;
};

// out [R, rows, width] = the rows of table [R, V, width] that tokens [R, rows] name.
struct EmbeddingForwardArguments {
  const int64_t* tokens;
  DeviceRows table;
  float* out;
  int64_t replicas, rows, width;
};

// sum [R, V, width] += the rows of gradient [count, width] at their tokens, count = R rows: `keys`
// are r V + token in ascending order, `order` the rows that they belong to.
struct EmbeddingBackwardArguments {
  const int64_t *keys, *order;
  const float* gradient;
  DeviceRows sum;
  float* partial_sums;  // [row_parts(count), 2, width]
  int64_t count, vocabulary, width;
};

// Heads' rows of D dense elements, those of a window, a head and a token so many elements apart.
struct DeviceHeads {
  const void* data;
  int64_t window_stride, head_stride, token_stride;
};

// Queries and keys turned as in models/kernels/rotary.h, values copied, into their places of `to`
// (windows, T, 3, H, D). What `from` reads may be those places; values that are there already are
// left out.
struct RotaryArguments {
  DeviceHeads from[3];  // queries, keys, values
  void* to;
  const float *cosine, *sine;  // [at least T, D / 2]
  int64_t windows, tokens, n_head, d_head;
  bool values;
  float direction;
  ElementType type;
};

}  // namespace scalelaw
