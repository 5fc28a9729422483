// Shapes: R replicas, T time steps, B sequences, W width. Gates (R, T, B, 4 W).
#include "models/layers/lstm_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "models/layers/cast.h"
#include "models/layers/lstm_recurrence.h"
#include "models/layers/product.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

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
    LstmStates states;
    states.gates = cast(projected, state).view({x.size(0), x.size(1), x.size(2), 4 * x.size(3)});
    states.cells = at::empty(x.sizes(), states.gates.options());
    states.hidden = at::empty(x.sizes(), states.gates.options());
    const at::Tensor recurrent = hidden_weight.to(recurrent_type(states.gates, dtype));
    lstm_recurrence_forward(states, recurrent, dtype);
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
    LstmStates states = {data["gates"].toTensor(), data["cells"].toTensor(), saved[3],
                         data["hidden_bf16"].toTensor(), at::Tensor()};
    lstm_recurrence_backward(states, recurrent, gradients[0].contiguous());
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
    const at::Tensor fresh = lstm_gate(gates, 0).sigmoid() * lstm_gate(gates, 2).tanh();
    cell = t > 0 ? lstm_gate(gates, 1).sigmoid() * cell + fresh : fresh;
    h = lstm_gate(gates, 3).sigmoid() * cell.tanh();
    outputs.push_back(h);
  }
  return at::stack(outputs, 1);
}

}  // namespace scalelaw
