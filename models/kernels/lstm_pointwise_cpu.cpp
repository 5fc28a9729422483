#include "models/kernels/lstm_pointwise.h"

#include "models/kernels/lstm_math.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

SCALELAW_VECTOR_CLONES
void forward_row(int64_t width, float* __restrict gates, const float* __restrict previous_cell,
                 float* __restrict cell, float* __restrict hidden) {
  float* __restrict input = gates;
  float* __restrict forget = gates + width;
  float* __restrict candidate = gates + 2 * width;
  float* __restrict output = gates + 3 * width;
#pragma GCC ivdep
  for (int64_t j = 0; j < width; ++j) {
    const LstmGates at = lstm_activations({input[j], forget[j], candidate[j], output[j]});
    const float c = at.forget * previous_cell[j] + at.input * at.candidate;
    input[j] = at.input;
    forget[j] = at.forget;
    candidate[j] = at.candidate;
    output[j] = at.output;
    cell[j] = c;
    hidden[j] = at.output * vector_math::tanh(c);
  }
}

SCALELAW_VECTOR_CLONES
void forward_first_row(int64_t width, float* __restrict gates, float* __restrict cell,
                       float* __restrict hidden) {
  float* __restrict input = gates;
  float* __restrict forget = gates + width;
  float* __restrict candidate = gates + 2 * width;
  float* __restrict output = gates + 3 * width;
#pragma GCC ivdep
  for (int64_t j = 0; j < width; ++j) {
    const LstmGates at = lstm_activations({input[j], forget[j], candidate[j], output[j]});
    const float c = at.input * at.candidate;
    input[j] = at.input;
    forget[j] = at.forget;
    candidate[j] = at.candidate;
    output[j] = at.output;
    cell[j] = c;
    hidden[j] = at.output * vector_math::tanh(c);
  }
}

// `previous_scale` 0 drops previous_cell and `recurrent_scale` 0 drops the recurrent gradient; both
// pointers stay readable, so that one loop serves every step.
SCALELAW_VECTOR_CLONES
void backward_row(int64_t width, float* __restrict gates, const float* previous_cell,
                  float previous_scale, const float* cell, const float* hidden_gradient,
                  const float* recurrent_gradient, float recurrent_scale,
                  float* __restrict cell_gradient) {
  float* __restrict input = gates;
  float* __restrict forget = gates + width;
  float* __restrict candidate = gates + 2 * width;
  float* __restrict output = gates + 3 * width;
#pragma GCC ivdep
  for (int64_t j = 0; j < width; ++j) {
    const float dh = hidden_gradient[j] + recurrent_scale * recurrent_gradient[j];
    const LstmGates d =
        lstm_gate_gradients({input[j], forget[j], candidate[j], output[j]},
                            previous_scale * previous_cell[j], cell[j], dh, cell_gradient[j]);
    input[j] = d.input;
    forget[j] = d.forget;
    candidate[j] = d.candidate;
    output[j] = d.output;
  }
}

}  // namespace

void lstm_step_forward(int64_t rows, int64_t width, float* gates, const float* previous_cell,
                       float* cell, float* hidden) {
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * width;
    if (previous_cell == nullptr) {
      forward_first_row(width, gates + 4 * at, cell + at, hidden + at);
    } else {
      forward_row(width, gates + 4 * at, previous_cell + at, cell + at, hidden + at);
    }
  }
}

void lstm_step_backward(int64_t rows, int64_t width, float* gates, const float* previous_cell,
                        const float* cell, const float* hidden_gradient,
                        const float* recurrent_gradient, float* cell_gradient) {
  const float previous_scale = previous_cell == nullptr ? 0.0f : 1.0f;
  const float recurrent_scale = recurrent_gradient == nullptr ? 0.0f : 1.0f;
  if (previous_cell == nullptr) previous_cell = cell;
  if (recurrent_gradient == nullptr) recurrent_gradient = hidden_gradient;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * width;
    backward_row(width, gates + 4 * at, previous_cell + at, previous_scale, cell + at,
                 hidden_gradient + at, recurrent_gradient + at, recurrent_scale,
                 cell_gradient + at);
  }
}

}  // namespace scalelaw
