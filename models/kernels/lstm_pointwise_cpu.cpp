#include "models/kernels/lstm_pointwise.h"

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
    const float i = vector_math::sigmoid(input[j]);
    const float f = vector_math::sigmoid(forget[j]);
    const float g = vector_math::tanh(candidate[j]);
    const float o = vector_math::sigmoid(output[j]);
    const float c = f * previous_cell[j] + i * g;
    input[j] = i;
    forget[j] = f;
    candidate[j] = g;
    output[j] = o;
    cell[j] = c;
    hidden[j] = o * vector_math::tanh(c);
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
    const float i = vector_math::sigmoid(input[j]);
    const float f = vector_math::sigmoid(forget[j]);
    const float g = vector_math::tanh(candidate[j]);
    const float o = vector_math::sigmoid(output[j]);
    const float c = i * g;
    input[j] = i;
    forget[j] = f;
    candidate[j] = g;
    output[j] = o;
    cell[j] = c;
    hidden[j] = o * vector_math::tanh(c);
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
    const float i = input[j], f = forget[j], g = candidate[j], o = output[j];
    const float tanh_cell = vector_math::tanh(cell[j]);
    const float dh = hidden_gradient[j] + recurrent_scale * recurrent_gradient[j];
    const float dc = cell_gradient[j] + dh * o * (1.0f - tanh_cell * tanh_cell);
    input[j] = dc * g * i * (1.0f - i);
    forget[j] = dc * (previous_scale * previous_cell[j]) * f * (1.0f - f);
    candidate[j] = dc * i * (1.0f - g * g);
    output[j] = dh * tanh_cell * o * (1.0f - o);
    cell_gradient[j] = dc * f;
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
