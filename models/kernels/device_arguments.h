// What each kernel of models/kernels/device_kernels.h works on.
#pragma once

#include <cstdint>

namespace scalelaw {

enum class ElementType : int32_t { kFloat, kBFloat16 };

// A parameter or its gradient: dense rows of float32, the replicas' `stride` elements apart. data
// null: there is none.
struct DeviceRows {
  float* data;
  int64_t stride;
};

// Sums over rows are made in two steps, of parts of so many rows and then of the parts; a kernel
// that makes such sums is given room for the parts'.
inline constexpr int64_t kRowsPerPart = 32;
constexpr int64_t row_parts(int64_t rows) {
  return (rows + kRowsPerPart - 1) / kRowsPerPart;
}

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

// Queries and keys of qkv (windows, T, 3, H, D) turned as in models/kernels/rotary.h, values
// copied. `to` may be `from`.
struct RotaryArguments {
  const void* from;
  void* to;
  const float *cosine, *sine;  // [at least T, D / 2]
  int64_t windows, tokens, n_head, d_head;
  float direction;
  ElementType type;
};

// One time step of models/kernels/lstm_pointwise.h for `rows` sequences of each replica. gates,
// cells, hidden states and their gradients are one step of [R, T, rows, …], the replicas'
// `replica_rows` = T rows apart. What a product has made or will read is of `type`.
struct LstmForwardArguments {
  float* gates;                // pre-activations without the recurrent part in, activations out
  const void* recurrent;       // [R, rows, 4 W], that part; null at the first step
  const float* previous_cell;  // null at the first step
  float *cell, *hidden;
  void* hidden_cast;  // hidden again, as the products read it; null: not wanted
  int64_t replicas, rows, replica_rows, width;
  ElementType type;
};
struct LstmBackwardArguments {
  float* gates;                       // activations in, gradients out
  const float *previous_cell, *cell;  // the first null at the first step
  const float* hidden_gradient;
  const void* recurrent_gradient;  // [R, rows, W]; null at the last step
  float* cell_gradient;            // [R, rows, W]: of cell in, of previous_cell out
  void* gates_cast;                // the gates' gradients again, for the products; null: not wanted
  int64_t replicas, rows, replica_rows, width;
  ElementType type;
};

}  // namespace scalelaw
