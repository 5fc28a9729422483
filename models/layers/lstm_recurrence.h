// The part of an LSTM layer that goes step by step, over R replicas, on the kernels that there are
// for its device, type and width; else by ATen's operators.
#pragma once

#include <ATen/core/Tensor.h>

namespace scalelaw {

struct LstmStates {
  at::Tensor gates;   // (R, T, B, 4 W)
  at::Tensor cells;   // (R, T, B, W)
  at::Tensor hidden;  // (R, T, B, W)
  // Of a device's kernels in bf16: hidden states, and in backward the gates' gradients, as the
  // products read them. Else undefined.
  at::Tensor hidden_bf16, gates_bf16;
};

// Gate `index` of (…, 4 W), no copy.
at::Tensor lstm_gate(const at::Tensor& gates, int64_t index);

// The type in which W_hh is read, where products are of type `dtype` and the state of gates' type.
at::ScalarType recurrent_type(const at::Tensor& gates, at::ScalarType dtype);

// Fills cells and hidden; gates are pre-activations without the recurrent part in, activations out.
// weight [R, W, 4 W] of recurrent_type().
void lstm_recurrence_forward(LstmStates& states, const at::Tensor& weight, at::ScalarType dtype);

// Leaves the gradients of the pre-activations in gates. hidden_gradient (R, T, B, W) dense.
void lstm_recurrence_backward(LstmStates& states, const at::Tensor& weight,
                              const at::Tensor& hidden_gradient);

}  // namespace scalelaw
