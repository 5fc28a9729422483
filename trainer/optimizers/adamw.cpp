#include "trainer/optimizers/adamw.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/record_function.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <utility>

#include "models/layers/device_launch.h"
#include "trainer/optimizers/adamw_row.h"

namespace scalelaw {
namespace {

bool decays(ParameterGroup group) {
  switch (group) {
    case ParameterGroup::kAttention:
    case ParameterGroup::kMlp:
    case ParameterGroup::kRecurrent:
    case ParameterGroup::kHead:
      return true;
    case ParameterGroup::kTokenEmbedding:
    case ParameterGroup::kPositionEmbedding:
    case ParameterGroup::kNorm:
    case ParameterGroup::kBias:
      return false;
  }
  return false;
}

AdamWScalars scalars_for(const OptimizerConfig& config, const UpdateRow& row, int64_t update) {
  const auto t = static_cast<double>(update);
  AdamWScalars s;
  s.beta1 = static_cast<float>(config.beta1);
  s.beta2 = static_cast<float>(config.beta2);
  s.epsilon = static_cast<float>(config.epsilon);
  s.gradient_scale = static_cast<float>(row.gradient_scale);
  s.keep = static_cast<float>(1.0 - row.learning_rate * config.weight_decay);
  s.step_size = static_cast<float>(row.learning_rate / (1.0 - std::pow(config.beta1, t)));
  s.root_correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(config.beta2, t)));
  return s;
}

}  // namespace

AdamW::AdamW(ParameterArena& arena, std::vector<OptimizerConfig> configs)
    : arena_(arena),
      configs_(std::move(configs)),
      updates_done_(configs_.size(), 0),
      first_moment_(at::zeros_like(arena.values())),
      second_moment_(at::zeros_like(arena.values())) {
  TORCH_CHECK(static_cast<int64_t>(configs_.size()) == arena.replicas(), "AdamW: ", configs_.size(),
              " configurations for ", arena.replicas(), " replicas");
}

const at::Tensor& AdamW::decay_mask() {
  if (!decay_mask_.defined()) {
    decay_mask_ = at::zeros({arena_.row_length()}, arena_.values().options());
    for (const ParameterSpec& spec : arena_.specs()) {
      if (decays(spec.group)) decay_mask_.narrow(0, spec.offset, spec.numel).fill_(1.0);
    }
  }
  return decay_mask_;
}

int64_t AdamW::updates_done(int64_t replica) const {
  return updates_done_.at(static_cast<std::size_t>(replica));
}

void AdamW::set_updates_done(int64_t replica, int64_t updates) {
  updates_done_.at(static_cast<std::size_t>(replica)) = updates;
}

at::Tensor AdamW::table(const std::vector<UpdateRow>& rows, int64_t ahead) const {
  TORCH_CHECK(rows.size() == configs_.size(), "AdamW: ", rows.size(), " rows for ", configs_.size(),
              " replicas");
  std::vector<float> numbers;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const AdamWScalars s = scalars_for(configs_[r], rows[r], updates_done_[r] + 1 + ahead);
    numbers.insert(numbers.end(), {s.beta1, s.beta2, s.epsilon, s.gradient_scale, 1.0f - s.keep,
                                   s.step_size, s.root_correction, rows[r].active ? 1.0f : 0.0f});
  }
  return at::tensor(numbers).view({static_cast<int64_t>(rows.size()), kAdamWColumns});
}

void AdamW::update(const std::vector<UpdateRow>& rows) {
  apply(table(rows).to(arena_.values().device()));
  for (std::size_t r = 0; r < rows.size(); ++r) updates_done_[r] += rows[r].active ? 1 : 0;
}

void AdamW::apply(const at::Tensor& table) {
  RECORD_FUNCTION("adamw", std::vector<c10::IValue>());
  const at::NoGradGuard no_grad;
  TORCH_CHECK(table.is_contiguous() && table.size(0) == arena_.replicas(), "AdamW: a table of ",
              table.sizes(), " for ", arena_.replicas(), " replicas");
  if (const DeviceKernels* kernels = kernels_for(arena_.values())) {
    launch(kernels->adamw,
           {floats(arena_.values()), floats(first_moment_), floats(second_moment_),
            floats(arena_.gradients()), floats(decay_mask()), floats(table), arena_.replicas(),
            arena_.row_length()},
           table.device());
    return;
  }
  if (!arena_.values().is_cpu()) return apply_plainly(table);
  const float* row = table.const_data_ptr<float>();
  for (int64_t r = 0; r < arena_.replicas(); ++r, row += kAdamWColumns) {
    if (row[7] != 0.0f) apply_row_on_cpu(r, row);
  }
}

void AdamW::apply_row_on_cpu(int64_t replica, const float* row) {
  const AdamWScalars with_decay = {row[0], row[1], row[2], row[3], 1.0f - row[4], row[5], row[6]};
  AdamWScalars without_decay = with_decay;
  without_decay.keep = 1.0f;
  const int64_t row_start = replica * arena_.row_length();
  float* values = arena_.values().data_ptr<float>() + row_start;
  float* first = first_moment_.data_ptr<float>() + row_start;
  float* second = second_moment_.data_ptr<float>() + row_start;
  const float* gradients = arena_.gradients().data_ptr<float>() + row_start;
  for (const ParameterSpec& spec : arena_.specs()) {
    adamw_row(values + spec.offset, first + spec.offset, second + spec.offset,
              gradients + spec.offset, spec.numel, decays(spec.group) ? with_decay : without_decay);
  }
}

void AdamW::apply_plainly(const at::Tensor& table) {
  const at::NoGradGuard no_grad;
  const auto column = [&](int64_t i) { return table.narrow(1, i, 1); };  // (R, 1)
  const at::Tensor active = column(7).to(at::kBool);
  const at::Tensor beta1 = column(0), beta2 = column(1);

  // where() rather than a product with 0: a frozen row may hold NaN.
  const at::Tensor g = arena_.gradients() * column(3);  // (R, P)
  const at::Tensor m = beta1 * first_moment_ + (1.0 - beta1) * g;
  const at::Tensor v = beta2 * second_moment_ + (1.0 - beta2) * g * g;
  const at::Tensor kept = arena_.values() * (1.0 - column(4) * decay_mask());
  const at::Tensor next = kept - column(5) * m / (v.sqrt() * column(6) + column(2));
  first_moment_.copy_(at::where(active, m, first_moment_));
  second_moment_.copy_(at::where(active, v, second_moment_));
  arena_.values().copy_(at::where(active, next, arena_.values()));
}

}  // namespace scalelaw
