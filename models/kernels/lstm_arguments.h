// What the LSTM's kernels of models/kernels/device_kernels.h work on. Symbols: R replicas, T time
// steps, W width; `rows` sequences of each replica.
#pragma once

#include <cstdint>

#include "models/kernels/device_operands.h"

namespace scalelaw {

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

// The widest LSTM whose W_hh fits into the registers and the shared memory of one block, so that
// one launch makes all time steps: a block keeps some sequences of a replica from the first step to
// the last. GPUs with less shared memory than an A100 say less (widest_persistent_lstm()).
inline constexpr int64_t kMaxPersistentLstmWidth = 128;

// All T steps of models/kernels/lstm_pointwise.h with the products between them, in float32. gates
// [R, T, rows, 4 W]; cells, hidden states and their gradients [R, T, rows, W].
struct PersistentLstmForwardArguments {
  float* gates;       // pre-activations without the recurrent part in, activations out
  DeviceRows weight;  // W_hh [W, 4 W]
  float *cells, *hidden;
  void* hidden_bf16;  // hidden again in bf16; null: not wanted
  int64_t replicas, steps, rows, width;
};
struct PersistentLstmBackwardArguments {
  float* gates;  // activations in, gradients of the pre-activations out
  DeviceRows weight;
  const float *cells, *hidden_gradient;
  void* gates_bf16;  // the gates' gradients again in bf16; null: not wanted
  int64_t replicas, steps, rows, width;
};

}  // namespace scalelaw
