// Shapes: R replicas, T time steps, B sequences, W width. Gates (R, T, B, 4 W).
#include "models/layers/lstm_layer.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "models/kernels/dense_product.h"
#include "models/kernels/lstm_pointwise.h"
#include "models/layers/cast.h"
#include "models/layers/device_launch.h"
#include "models/layers/product.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct States {
  at::Tensor gates;   // pre-activations without the recurrent part, then activations
  at::Tensor cells;   // (R, T, B, W)
  at::Tensor hidden;  // (R, T, B, W)
  // Of a device's kernels in bf16: hidden states, and in backward the gates' gradients, as the
  // products read them. Else undefined.
  at::Tensor hidden_bf16, gates_bf16;
};

bool has_kernels(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat;
}

at::Tensor gate(const at::Tensor& gates, int64_t index) {
  const int64_t width = gates.size(-1) / 4;
  return gates.narrow(-1, index * width, width);
}

void forward_on_cpu(const States& states, const at::Tensor& weight) {
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
void backward_on_cpu(const States& states, const at::Tensor& weight,
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

// Step t of a dense (R, T, B, …); null of an undefined tensor.
template <typename T>
T* step_of(const at::Tensor& x, int64_t t) {
  return x.defined() ? static_cast<T*>(x.select(1, t).mutable_data_ptr()) : nullptr;
}

void forward_on_device(const DeviceKernels& kernels, const States& states,
                       const at::Tensor& weight) {
  const at::Tensor& read = states.hidden_bf16.defined() ? states.hidden_bf16 : states.hidden;
  for (int64_t t = 0; t < states.cells.size(1); ++t) {
    const at::Tensor recurrent = t > 0 ? product(read.select(1, t - 1), weight) : at::Tensor();
    launch(kernels.lstm_forward,
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

void backward_on_device(const DeviceKernels& kernels, const States& states,
                        const at::Tensor& weight, const at::Tensor& hidden_gradient) {
  const at::Tensor& read = states.gates_bf16.defined() ? states.gates_bf16 : states.gates;
  const at::Tensor transposed = weight.transpose(1, 2);
  const at::Tensor cell_gradient = at::zeros_like(states.cells.select(1, 0),
                                                  at::MemoryFormat::Contiguous);  // (R, B, W)
  const int64_t steps = states.cells.size(1);
  for (int64_t t = steps - 1; t >= 0; --t) {
    const at::Tensor recurrent_gradient =
        t < steps - 1 ? product(read.select(1, t + 1), transposed) : at::Tensor();
    launch(kernels.lstm_backward,
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

void forward_by_operators(const States& states, const at::Tensor& weight) {
  at::Tensor previous_hidden, previous_cell;
  for (int64_t t = 0; t < states.cells.size(1); ++t) {
    const at::Tensor gates = states.gates.select(1, t);  // (R, B, 4 W)
    if (t > 0) gates.add_(at::bmm(previous_hidden.to(weight.scalar_type()), weight));
    const at::Tensor input = gate(gates, 0).sigmoid_(), forget = gate(gates, 1).sigmoid_(),
                     candidate = gate(gates, 2).tanh_(), output = gate(gates, 3).sigmoid_();
    at::Tensor cell = states.cells.select(1, t), hidden = states.hidden.select(1, t);
    at::mul_out(cell, input, candidate);
    if (t > 0) cell.addcmul_(forget, previous_cell);
    at::mul_out(hidden, output, cell.tanh());
    previous_hidden = hidden;
    previous_cell = cell;
  }
}

void backward_by_operators(const States& states, const at::Tensor& weight,
                           const at::Tensor& hidden_gradient) {
  const at::Tensor transposed = weight.transpose(1, 2);
  at::Tensor cell_gradient;
  const int64_t steps = states.cells.size(1);
  for (int64_t t = steps - 1; t >= 0; --t) {
    const at::Tensor gates = states.gates.select(1, t);
    const at::Tensor input = gate(gates, 0), forget = gate(gates, 1), candidate = gate(gates, 2),
                     output = gate(gates, 3);
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

at::Tensor rows_of(const at::Tensor& x) {
  return x.flatten(1, 2);
}  // (R, T*B, ...)

class LstmFunction : public torch::autograd::Function<LstmFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& input_weight, const at::Tensor& hidden_weight,
                            const LstmParameters& parameters, at::ScalarType dtype) {
    const at::ScalarType state = dtype == at::kBFloat16 ? at::kFloat : dtype;
    const at::Tensor x_cast = cast(x, dtype), input_cast = cast(input_weight, dtype);
    const at::Tensor projected = product_plus_bias(
        rows_of(x_cast), input_cast, parameters.bias.value().to(product_type(x_cast)));
    States states;
    states.gates = cast(projected, state).view({x.size(0), x.size(1), x.size(2), 4 * x.size(3)});
    states.cells = at::empty(x.sizes(), states.gates.options());
    states.hidden = at::empty(x.sizes(), states.gates.options());
    const DeviceKernels* device = kernels_for(states.gates);
    const bool kernels = device == nullptr && has_kernels(states.gates);
    const at::Tensor recurrent = hidden_weight.to(kernels ? state : dtype);
    if (device != nullptr) {
      if (dtype == at::kBFloat16) states.hidden_bf16 = at::empty_like(states.hidden, dtype);
      forward_on_device(*device, states, recurrent);
    } else {
      kernels ? forward_on_cpu(states, recurrent) : forward_by_operators(states, recurrent);
    }
    context->save_for_backward({x_cast, input_cast, recurrent, states.hidden});
    context->saved_data["gates"] = states.gates;
    context->saved_data["cells"] = states.cells;
    context->saved_data["hidden_bf16"] = states.hidden_bf16;
    context->saved_data["input_gradient"] = parameters.input.gradient();
    context->saved_data["hidden_gradient"] = parameters.hidden.gradient();
    context->saved_data["bias_gradient"] = parameters.bias.gradient();
    context->saved_data["spent"] = false;
    return states.hidden;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    auto& data = context->saved_data;
    TORCH_CHECK(!data["spent"].toBool(), "lstm_layer: backward ran twice through one forward");
    data["spent"] = true;
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &input_weight = saved[1], &recurrent = saved[2];
    States states = {data["gates"].toTensor(), data["cells"].toTensor(), saved[3],
                     data["hidden_bf16"].toTensor(), at::Tensor()};
    const at::Tensor gradient = gradients[0].contiguous();
    if (const DeviceKernels* device = kernels_for(states.gates)) {
      if (states.hidden_bf16.defined()) {
        states.gates_bf16 = at::empty_like(states.gates, at::kBFloat16);
      }
      backward_on_device(*device, states, recurrent, gradient);
    } else {
      has_kernels(states.gates) ? backward_on_cpu(states, recurrent, gradient)
                                : backward_by_operators(states, recurrent, gradient);
    }
    const at::Tensor gate_gradient =  // (R, T*B, 4 W)
        states.gates_bf16.defined() ? rows_of(states.gates_bf16)
                                    : cast(rows_of(states.gates), x.scalar_type());
    const int64_t batch = x.size(2), rows = gate_gradient.size(1);
    add_transposed_product(rows_of(x), gate_gradient, data["input_gradient"].toTensor());
    if (rows > batch) {
      const at::Tensor& hidden = states.hidden_bf16.defined() ? states.hidden_bf16 : states.hidden;
      const at::Tensor before = rows_of(hidden).narrow(1, 0, rows - batch);
      add_transposed_product(cast(before, x.scalar_type()),
                             gate_gradient.narrow(1, batch, rows - batch),
                             data["hidden_gradient"].toTensor());
    }
    add_row_sum(rows_of(states.gates), data["bias_gradient"].toTensor());
    const at::Tensor dx = product(gate_gradient, input_weight.transpose(1, 2)).view(x.sizes());
    return {dx, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor lstm_layer(const at::Tensor& x, const LstmParameters& parameters,
                      const Execution& execution) {
  RECORD_FUNCTION("lstm_layer", std::vector<c10::IValue>());
  const at::ScalarType dtype = execution.compute_dtype;
  if (execution.plain_operators) {
    return plain::lstm_layer(x.to(dtype), parameters.input.value().to(dtype),
                             parameters.hidden.value().to(dtype),
                             parameters.bias.value().to(dtype));
  }
  return LstmFunction::apply(x, parameters.input.value(), parameters.hidden.value(), parameters,
                             dtype);
}

at::Tensor plain::lstm_layer(const at::Tensor& x, const at::Tensor& input, const at::Tensor& hidden,
                             const at::Tensor& bias) {
  std::vector<at::Tensor> outputs;
  at::Tensor h, cell;
  for (int64_t t = 0; t < x.size(1); ++t) {
    at::Tensor gates = at::bmm(x.select(1, t), input) + bias.unsqueeze(1);  // (R, B, 4 W)
    if (t > 0) gates = gates + at::bmm(h, hidden);
    const at::Tensor fresh = gate(gates, 0).sigmoid() * gate(gates, 2).tanh();
    cell = t > 0 ? gate(gates, 1).sigmoid() * cell + fresh : fresh;
    h = gate(gates, 3).sigmoid() * cell.tanh();
    outputs.push_back(h);
  }
  return at::stack(outputs, 1);
}

}  // namespace scalelaw
