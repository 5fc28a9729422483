#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"
#include "models/kernels/lstm_math.h"

namespace scalelaw::cuda {
namespace {

constexpr int kThreads = 256;

// Where one cell's numbers are: its row among all steps', its row among one step's, its column.
struct Place {
  int64_t row, row_of_step, column;
};

template <typename Arguments>
__device__ inline Place place(const Arguments& a, int64_t i) {
  const int64_t row_of_step = i / a.width;
  const int64_t r = row_of_step / a.rows, row = row_of_step % a.rows;
  return {r * a.replica_rows + row, row_of_step, i % a.width};
}

template <typename T>
__global__ void lstm_forward_kernel(LstmForwardArguments a) {
  const T* recurrent = static_cast<const T*>(a.recurrent);
  T* hidden_cast = static_cast<T*>(a.hidden_cast);
  for (int64_t i = first_x(); i < a.replicas * a.rows * a.width; i += step_x()) {
    const Place p = place(a, i);
    float* gates = a.gates + 4 * p.row * a.width + p.column;
    float x[4];
    for (int k = 0; k < 4; ++k) {
      x[k] = gates[k * a.width];
      if (recurrent == nullptr) continue;
      x[k] += as_float(recurrent[(4 * p.row_of_step + k) * a.width + p.column]);
    }
    const LstmGates at = lstm_activations({x[0], x[1], x[2], x[3]});
    const int64_t state = p.row * a.width + p.column;
    float cell = at.input * at.candidate;
    if (a.previous_cell != nullptr) cell += at.forget * a.previous_cell[state];
    const float hidden = at.output * vector_math::tanh(cell);
    gates[0] = at.input;
    gates[a.width] = at.forget;
    gates[2 * a.width] = at.candidate;
    gates[3 * a.width] = at.output;
    a.cell[state] = cell;
    a.hidden[state] = hidden;
    if (hidden_cast != nullptr) round_to(hidden, hidden_cast[state]);
  }
}

template <typename T>
__global__ void lstm_backward_kernel(LstmBackwardArguments a) {
  const T* recurrent_gradient = static_cast<const T*>(a.recurrent_gradient);
  T* gates_cast = static_cast<T*>(a.gates_cast);
  for (int64_t i = first_x(); i < a.replicas * a.rows * a.width; i += step_x()) {
    const Place p = place(a, i);
    const int64_t first_gate = 4 * p.row * a.width + p.column, state = p.row * a.width + p.column;
    float* gates = a.gates + first_gate;
    float dh = a.hidden_gradient[state];
    if (recurrent_gradient != nullptr) dh += as_float(recurrent_gradient[i]);
    const float previous = a.previous_cell == nullptr ? 0.0f : a.previous_cell[state];
    const LstmGates d =
        lstm_gate_gradients({gates[0], gates[a.width], gates[2 * a.width], gates[3 * a.width]},
                            previous, a.cell[state], dh, a.cell_gradient[i]);
    const float gradients[4] = {d.input, d.forget, d.candidate, d.output};
    for (int k = 0; k < 4; ++k) {
      gates[k * a.width] = gradients[k];
      if (gates_cast != nullptr) round_to(gradients[k], gates_cast[first_gate + k * a.width]);
    }
  }
}

template <typename Arguments>
dim3 grid_of_step(const Arguments& a) {
  return grid_for(ceil_divide(a.replicas * a.rows * a.width, kThreads));
}

}  // namespace

int lstm_forward(const LstmForwardArguments& a, void* stream) {
  return by_type(a.type, [&](auto element) {
    return launch(lstm_forward_kernel<decltype(element)>, grid_of_step(a), dim3(kThreads), stream,
                  a);
  });
}

int lstm_backward(const LstmBackwardArguments& a, void* stream) {
  return by_type(a.type, [&](auto element) {
    return launch(lstm_backward_kernel<decltype(element)>, grid_of_step(a), dim3(kThreads), stream,
                  a);
  });
}

}  // namespace scalelaw::cuda
