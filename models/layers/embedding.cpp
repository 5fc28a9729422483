#include "models/layers/embedding.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/embedding_dense_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/sort.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "models/gradient_watch.h"
#include "models/layers/device_launch.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Tables and what is added to them are float32 in every precision.
const DeviceKernels* float_kernels_for(const at::Tensor& table) {
  return table.scalar_type() == at::kFloat ? kernels_for(table) : nullptr;
}

void add_rows_on_cpu(const at::Tensor& gradient, const at::Tensor& tokens, const at::Tensor& sum) {
  const int64_t rows = tokens.size(1), width = sum.size(2);
  for (int64_t r = 0; r < tokens.size(0); ++r) {
    const float* source = gradient.select(0, r).const_data_ptr<float>();
    const int64_t* token = tokens.select(0, r).const_data_ptr<int64_t>();
    float* table = sum.select(0, r).mutable_data_ptr<float>();
    for (int64_t row = 0; row < rows; ++row, source += width) {
      float* target = table + token[row] * width;
#pragma GCC ivdep
      for (int64_t j = 0; j < width; ++j) target[j] += source[j];
    }
  }
}

at::Tensor embed_on_device(const DeviceKernels& kernels, const at::Tensor& tokens,
                           const at::Tensor& table) {
  at::Tensor out = at::empty({tokens.size(0), tokens.size(1), table.size(2)}, table.options());
  launch(kernels.embedding_forward,
         {.tokens = tokens.const_data_ptr<int64_t>(),
          .table = replica_rows(table),
          .out = floats(out),
          .replicas = tokens.size(0),
          .rows = tokens.size(1),
          .width = table.size(2)},
         table.device());
  return out;
}

// The replicas' tokens, counted on from one table to the next.
at::Tensor rows_of_all_tables(const at::Tensor& tokens, const at::Tensor& tables) {
  const at::Tensor shift = at::arange(tables.size(0), tokens.options()).mul_(tables.size(1));
  return tokens + shift.unsqueeze(1);
}

// Sorted, so that every table row has one writer.
void add_rows_on_device(const DeviceKernels& kernels, const at::Tensor& gradient,
                        const at::Tensor& tokens, const at::Tensor& sum) {
  const auto [keys, order] =
      at::sort(rows_of_all_tables(tokens, sum).flatten(), /*stable=*/true, 0, /*descending=*/false);
  const int64_t width = sum.size(2);
  const at::Tensor partial_sums =
      at::empty({row_parts(keys.size(0)), 2, width}, gradient.options());
  launch(kernels.embedding_backward,
         {.keys = keys.const_data_ptr<int64_t>(),
          .order = order.const_data_ptr<int64_t>(),
          .gradient = floats(gradient),
          .sum = replica_rows(sum),
          .partial_sums = floats(partial_sums),
          .count = keys.size(0),
          .vocabulary = sum.size(1),
          .width = width},
         sum.device());
}

// ATen's backward has one table: the replicas' tables are laid end to end.
void add_rows(const at::Tensor& gradient, const at::Tensor& tokens, const at::Tensor& sum) {
  const int64_t replicas = sum.size(0), vocabulary = sum.size(1), width = sum.size(2);
  sum.add_(at::embedding_dense_backward(gradient, rows_of_all_tables(tokens, sum),
                                        replicas * vocabulary, /*padding_idx=*/-1,
                                        /*scale_grad_by_freq=*/false)
               .view({replicas, vocabulary, width}));
}

class EmbedFunction : public torch::autograd::Function<EmbedFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& table,
                            const Parameter& parameter, const at::Tensor& tokens) {
    context->saved_data["tokens"] = tokens;
    context->saved_data["gradient"] = parameter.gradient();
    const DeviceKernels* kernels = float_kernels_for(table);
    return kernels != nullptr ? embed_on_device(*kernels, tokens, table)
                              : plain::embed(tokens, table);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor tokens = context->saved_data["tokens"].toTensor();
    const at::Tensor sum = context->saved_data["gradient"].toTensor();
    const at::Tensor gradient = gradients[0].contiguous();
    if (const DeviceKernels* kernels = float_kernels_for(sum)) {
      add_rows_on_device(*kernels, gradient, tokens, sum);
    } else if (sum.is_cpu() && sum.scalar_type() == at::kFloat) {
      add_rows_on_cpu(gradient, tokens, sum);
    } else {
      add_rows(gradient, tokens, sum);
    }
    gradient_written(sum);
    return {at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

class AddPositionsFunction : public torch::autograd::Function<AddPositionsFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& table,
                            const Parameter& parameter) {
    context->saved_data["gradient"] = parameter.gradient();
    return plain::add_positions(x, table);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor sum = context->saved_data["gradient"].toTensor();
    sum.narrow(1, 0, gradients[0].size(2)).add_(gradients[0].sum(1));
    gradient_written(sum);
    return {gradients[0], at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor embed(const at::Tensor& tokens, const Parameter& table, const Execution& execution) {
  RECORD_FUNCTION("embed", std::vector<c10::IValue>());
  if (execution.plain_operators) return plain::embed(tokens, table.value());
  return EmbedFunction::apply(table.value(), table, tokens.contiguous());
}

at::Tensor add_positions(const at::Tensor& x, const Parameter& table, const Execution& execution) {
  RECORD_FUNCTION("add_positions", std::vector<c10::IValue>());
  if (execution.plain_operators) return plain::add_positions(x, table.value());
  return AddPositionsFunction::apply(x, table.value(), table);
}

at::Tensor plain::add_positions(const at::Tensor& x, const at::Tensor& table) {
  return x + table.narrow(1, 0, x.size(2)).unsqueeze(1);
}

at::Tensor plain::embed(const at::Tensor& tokens, const at::Tensor& table) {
  if (table.size(0) == 1) {
    return at::embedding(table.select(0, 0), tokens.select(0, 0)).unsqueeze(0);
  }
  const at::Tensor rows =
      tokens.unsqueeze(2).expand({tokens.size(0), tokens.size(1), table.size(2)});
  return at::gather(table, 1, rows);
}

}  // namespace scalelaw
