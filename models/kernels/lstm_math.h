// One cell of an LSTM between its matrix products, forward and backward.
#pragma once

#include "models/kernels/vector_math.h"

namespace scalelaw {

struct LstmGates {
  float input, forget, candidate, output;
};

// Activations of pre-activations.
SCALELAW_HOST_DEVICE LstmGates lstm_activations(const LstmGates& x) {
  return {vector_math::sigmoid(x.input), vector_math::sigmoid(x.forget),
          vector_math::tanh(x.candidate), vector_math::sigmoid(x.output)};
}

// Gradients of the pre-activations. dh is the hidden state's gradient; cell_gradient is of the cell
// in and of the previous one out; previous_cell is 0 at the first step.
SCALELAW_HOST_DEVICE LstmGates lstm_gate_gradients(const LstmGates& activated, float previous_cell,
                                                   float cell, float dh, float& cell_gradient) {
  const float i = activated.input, f = activated.forget, g = activated.candidate,
              o = activated.output;
  const float tanh_cell = vector_math::tanh(cell);
  const float dc = cell_gradient + dh * o * (1.0f - tanh_cell * tanh_cell);
  cell_gradient = dc * f;
  return {dc * g * i * (1.0f - i), dc * previous_cell * f * (1.0f - f), dc * i * (1.0f - g * g),
          dh * tanh_cell * o * (1.0f - o)};
}

}  // namespace scalelaw
