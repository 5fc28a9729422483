// Shapes: R replicas, T time steps, B sequences, W width. Gates (R, T, B, 4 W).
#include "models/layers/lstm_recurrence.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zeros_like.h>

#include <vector>

#include "models/kernels/dense_product.h"
#include "models/kernels/lstm_pointwise.h"
#include "models/layers/device_launch.h"
#include "models/layers/product.h"

namespace scalelaw {
namespace {

enum class Way { kCpu, kPersistent, kStepByStep, kOperators };

Way way_of(const at::Tensor& gates) {
  if (const DeviceKernels* kernels = kernels_for(gates)) {
    const c10::DeviceGuard guard(gates.device());
    const bool fits = gates.size(3) / 4 <= kernels->widest_persistent_lstm();
    return fits ? Way::kPersistent : Way::kStepByStep;
  }
  return gates.is_cpu() && gates.scalar_type() == at::kFloat ? Way::kCpu : Way::kOperators;
}

void forward_on_cpu(const LstmStates& states, const at::Tensor& weight) {
  const int64_t steps = states.cells.size(1), rows = states.cells.size(2),
                width = states.cells.size(3), step = rows * width;
  at::parallel_for(0, states.cells.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      auto* gates = states.gates.mutable_data_ptr<float>() + r * steps * step * 4;
      auto* cells = states.cells.mutable_data_ptr<float>() + r * steps * step;
      auto* hidden = states.hidden.mutable_data_ptr<float>() + r * steps * step;
      const auto* recurrent = weight.const_data_ptr<float>() + r * weight.stride(0);
      for (int64_t t = 0; t < steps; ++t, gates += 4 * step, cells += step, hidden += step) {
        if (t > 0) {
          dense_product(rows, 4 * width, width, {hidden - step, width}, {recurrent, 4 * width},
                        {gates, 4 * width}, /*add=*/true);
        }
        lstm_step_forward(rows, width, gates, t > 0 ? cells - step : nullptr, cells, hidden);
      }
    }
  });
}

// Leaves the gradients of the pre-activations in states.gates.
void backward_on_cpu(const LstmStates& states, const at::Tensor& weight,
                     const at::Tensor& hidden_gradient) {
  const int64_t steps = states.cells.size(1), rows = states.cells.size(2),
                width = states.cells.size(3), step = rows * width;
  const at::Tensor transposed = weight.transpose(1, 2).contiguous();  // (R, 4 W, W)
  at::parallel_for(0, states.cells.size(0), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> recurrent_gradient(static_cast<size_t>(step));
    for (int64_t r = begin; r < end; ++r) {
      std::vector<float> cell_gradient(static_cast<size_t>(step), 0.0f);
      const auto* recurrent = transposed.const_data_ptr<float>() + r * 4 * width * width;
      for (int64_t t = steps - 1; t >= 0; --t) {
        const int64_t at = (r * steps + t) * step;
        auto* gates = states.gates.mutable_data_ptr<float>() + 4 * at;
        const auto* cells = states.cells.const_data_ptr<float>() + at;
        const bool last = t == steps - 1;
        if (!last) {
          dense_product(rows, width, 4 * width, {gates + 4 * step, 4 * width}, {recurrent, width},
                        {recurrent_gradient.data(), width}, /*add=*/false);
        }
        lstm_step_backward(rows, width, gates, t > 0 ? cells - step : nullptr, cells,
                           hidden_gradient.const_data_ptr<float>() + at,
                           last ? nullptr : recurrent_gradient.data(), cell_gradient.data());
      }
    }
  });
}

void forward_persistently(const LstmStates& states, const at::Tensor& weight) {
  launch(kernels_for(states.gates)->persistent_lstm_forward,
         {.gates = floats(states.gates),
          .weight = replica_rows(weight),
          .cells = floats(states.cells),
          .hidden = floats(states.hidden),
          .hidden_bf16 = elements(states.hidden_bf16),
          .replicas = states.cells.size(0),
          .steps = states.cells.size(1),
          .rows = states.cells.size(2),
          .width = states.cells.size(3)},
         states.cells.device());
}

void backward_persistently(const LstmStates& states, const at::Tensor& weight,
                           const at::Tensor& hidden_gradient) {
  launch(kernels_for(states.gates)->persistent_lstm_backward,
         {.gates = floats(states.gates),
          .weight = replica_rows(weight),
          .cells = floats(states.cells),
          .hidden_gradient = floats(hidden_gradient),
          .gates_bf16 = elements(states.gates_bf16),
          .replicas = states.cells.size(0),
          .steps = states.cells.size(1),
          .rows = states.cells.size(2),
          .width = states.cells.size(3)},
         states.cells.device());
}

// Step t of a dense (R, T, B, …); null of an undefined tensor.
template <typename T>
T* step_of(const at::Tensor& x, int64_t t) {
  return x.defined() ? static_cast<T*>(x.select(1, t).mutable_data_ptr()) : nullptr;
}

void forward_step_by_step(const LstmStates& states, const at::Tensor& weight) {
  const at::Tensor& read = states.hidden_bf16.defined() ? states.hidden_bf16 : states.hidden;
  for (int64_t t = 0; t < states.cells.size(1); ++t) {
    const at::Tensor recurrent = t > 0 ? product(read.select(1, t - 1), weight) : at::Tensor();
    launch(kernels_for(states.gates)->lstm_forward,
           {.gates = step_of<float>(states.gates, t),
            .recurrent = elements(recurrent),
            .previous_cell = t > 0 ? step_of<float>(states.cells, t - 1) : nullptr,
            .cell = step_of<float>(states.cells, t),
            .hidden = step_of<float>(states.hidden, t),
            .hidden_cast = step_of<void>(states.hidden_bf16, t),
            .replicas = states.cells.size(0),
            .rows = states.cells.size(2),
            .replica_rows = states.cells.size(1) * states.cells.size(2),
            .width = states.cells.size(3),
            .type = element_type(read)},
           states.cells.device());
  }
}

void backward_step_by_step(const LstmStates& states, const at::Tensor& weight,
                           const at::Tensor& hidden_gradient) {
  const at::Tensor& read = states.gates_bf16.defined() ? states.gates_bf16 : states.gates;
  const at::Tensor transposed = weight.transpose(1, 2);
  const at::Tensor cell_gradient = at::zeros_like(states.cells.select(1, 0),
                                                  at::MemoryFormat::Contiguous);  // (R, B, W)
  const int64_t steps = states.cells.size(1);
  for (int64_t t = steps - 1; t >= 0; --t) {
    const at::Tensor recurrent_gradient =
        t < steps - 1 ? product(read.select(1, t + 1), transposed) : at::Tensor();
    launch(kernels_for(states.gates)->lstm_backward,
           {.gates = step_of<float>(states.gates, t),
            .previous_cell = t > 0 ? step_of<float>(states.cells, t - 1) : nullptr,
            .cell = step_of<float>(states.cells, t),
            .hidden_gradient = step_of<float>(hidden_gradient, t),
            .recurrent_gradient = elements(recurrent_gradient),
            .cell_gradient = floats(cell_gradient),
            .gates_cast = step_of<void>(states.gates_bf16, t),
            .replicas = states.cells.size(0),
            .rows = states.cells.size(2),
            .replica_rows = steps * states.cells.size(2),
            .width = states.cells.size(3),
            .type = element_type(read)},
           states.cells.device());
  }
}

void forward_by_operators(const LstmStates& states, const at::Tensor& weight) {
  at::Tensor previous_hidden, previous_cell;
  for (int64_t t = 0; t < states.cells.size(1); ++t) {
    const at::Tensor gates = states.gates.select(1, t);  // (R, B, 4 W)
    if (t > 0) gates.add_(at::bmm(previous_hidden.to(weight.scalar_type()), weight));
    const at::Tensor input = lstm_gate(gates, 0).sigmoid_(),
                     forget = lstm_gate(gates, 1).sigmoid_(),
                     candidate = lstm_gate(gates, 2).tanh_(),
                     output = lstm_gate(gates, 3).sigmoid_();
    at::Tensor cell = states.cells.select(1, t), hidden = states.hidden.select(1, t);
    at::mul_out(cell, input, candidate);
    if (t > 0) cell.addcmul_(forget, previous_cell);
    at::mul_out(hidden, output, cell.tanh());
    previous_hidden = hidden;
    previous_cell = cell;
  }
}

void backward_by_operators(const LstmStates& states, const at::Tensor& weight,
                           const at::Tensor& hidden_gradient) {
  const at::Tensor transposed = weight.transpose(1, 2);
  at::Tensor cell_gradient;
  const int64_t steps = states.cells.size(1);
  for (int64_t t = steps - 1; t >= 0; --t) {
    const at::Tensor gates = states.gates.select(1, t);
    const at::Tensor input = lstm_gate(gates, 0), forget = lstm_gate(gates, 1),
                     candidate = lstm_gate(gates, 2), output = lstm_gate(gates, 3);
    at::Tensor dh = hidden_gradient.select(1, t);
    if (t < steps - 1) {
      dh = dh + at::bmm(states.gates.select(1, t + 1).to(weight.scalar_type()), transposed);
    }
    const at::Tensor tanh_cell = states.cells.select(1, t).tanh();
    at::Tensor dc = dh * output * (1 - tanh_cell.square());
    if (cell_gradient.defined()) dc = dc + cell_gradient;
    cell_gradient = dc * forget;
    const at::Tensor d_input = dc * candidate * input * (1 - input);
    const at::Tensor d_candidate = dc * input * (1 - candidate.square());
    if (t > 0) {
      forget.copy_(dc * states.cells.select(1, t - 1) * forget * (1 - forget));
    } else {
      forget.zero_();
    }
    output.copy_(dh * tanh_cell * output * (1 - output));
    input.copy_(d_input);
    candidate.copy_(d_candidate);
  }
}

}  // namespace

at::Tensor lstm_gate(const at::Tensor& gates, int64_t index) {
  const int64_t width = gates.size(-1) / 4;
  return gates.narrow(-1, index * width, width);
}

at::ScalarType recurrent_type(const at::Tensor& gates, at::ScalarType dtype) {
  const Way way = way_of(gates);
  return way == Way::kCpu || way == Way::kPersistent ? gates.scalar_type() : dtype;
}

void lstm_recurrence_forward(LstmStates& states, const at::Tensor& weight, at::ScalarType dtype) {
  if (kernels_for(states.gates) != nullptr && dtype == at::kBFloat16) {
    states.hidden_bf16 = at::empty_like(states.hidden, states.hidden.options().dtype(dtype));
  }
  switch (way_of(states.gates)) {
    case Way::kCpu:
      return forward_on_cpu(states, weight);
    case Way::kPersistent:
      return forward_persistently(states, weight);
    case Way::kStepByStep:
      return forward_step_by_step(states, weight);
    case Way::kOperators:
      return forward_by_operators(states, weight);
  }
}

void lstm_recurrence_backward(LstmStates& states, const at::Tensor& weight,
                              const at::Tensor& hidden_gradient) {
  if (states.hidden_bf16.defined()) {
    states.gates_bf16 = at::empty_like(states.gates, states.hidden_bf16.options());
  }
  switch (way_of(states.gates)) {
    case Way::kCpu:
      return backward_on_cpu(states, weight, hidden_gradient);
    case Way::kPersistent:
      return backward_persistently(states, weight, hidden_gradient);
    case Way::kStepByStep:
      return backward_step_by_step(states, weight, hidden_gradient);
    case Way::kOperators:
      return backward_by_operators(states, weight, hidden_gradient);
  }
}

}  // namespace scalelaw
