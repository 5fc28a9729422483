// One time step of an LSTM between its matrix products, for `rows` sequences of width W.
// Arrays are row-major and dense; gates are [rows, 4 W] in the order input, forget, cell, output.
#pragma once

#include <cstdint>

namespace scalelaw {

// gates: pre-activations in, activations out. previous_cell is null at the first step (zeros).
//   cell = sigmoid(f) previous_cell + sigmoid(i) tanh(g);  hidden = sigmoid(o) tanh(cell)
void lstm_step_forward(int64_t rows, int64_t width, float* gates, const float* previous_cell,
                       float* cell, float* hidden);

// gates: activations in, gradients of the pre-activations out. hidden_gradient is of this step's
// output, recurrent_gradient what the next step's products add to it (null at the last step).
// cell_gradient [rows, W]: of `cell` in, of `previous_cell` out.
void lstm_step_backward(int64_t rows, int64_t width, float* gates, const float* previous_cell,
                        const float* cell, const float* hidden_gradient,
                        const float* recurrent_gradient, float* cell_gradient);

}  // namespace scalelaw
