#include "trainer/step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/layers/device_launch.h"
#include "trainer/noise_scale.h"

namespace scalelaw {
at::Tensor accumulate_gradients(const LanguageModel& model, const at::Tensor& inputs,
                                const at::Tensor& targets, int64_t micro_batch_windows,
                                GradientMean* over_ranks) {
  const int64_t windows = inputs.size(1);
  TORCH_CHECK(windows % micro_batch_windows == 0, "a step: ", windows,
              " windows a batch, micro-batches of ", micro_batch_windows);
  if (micro_batch_windows == windows && over_ranks == nullptr) {
    const at::Tensor loss = model.training_loss(inputs, targets);  // (R)
    loss.sum().backward();
    return loss.detach();
  }
  const double share = static_cast<double>(micro_batch_windows) / static_cast<double>(windows) *
                       (over_ranks == nullptr ? 1.0 : over_ranks->share());
  at::Tensor total;
  for (int64_t first = 0; first < windows; first += micro_batch_windows) {
    const at::Tensor loss =
        model.training_loss(inputs.narrow(1, first, micro_batch_windows).contiguous(),
                            targets.narrow(1, first, micro_batch_windows).contiguous()) *
        share;
    if (over_ranks != nullptr && first + micro_batch_windows == windows) {
      over_ranks->begin_last_backward();
    }
    loss.sum().backward();
    total = total.defined() ? total + loss.detach() : loss.detach();
  }
  if (over_ranks != nullptr) over_ranks->finish(total);
  return total;
}

at::Tensor gradient_norms(const ParameterArena& arena) {
  const at::Tensor& gradients = arena.gradients();
  const DeviceKernels* kernels = kernels_for(gradients);
  if (kernels == nullptr) return at::linalg_vector_norm(gradients, 2, at::IntArrayRef{1});
  at::Tensor norms = at::empty({arena.replicas()}, gradients.options());
  const at::Tensor parts =
      at::empty({arena.replicas(), norm_parts(arena.row_length())}, gradients.options());
  launch(kernels->gradient_norms,
         {floats(gradients), floats(norms), floats(parts), arena.replicas(), arena.row_length()},
         gradients.device());
  return norms;
}

at::Tensor small_batch_of(const at::Tensor& of_windows) {
  return of_windows.slice(1, 0, of_windows.size(1), kSmallBatchStride).contiguous();
}

at::Tensor small_batch_norms(const LanguageModel& model, ParameterArena& arena,
                             const at::Tensor& inputs, const at::Tensor& targets,
                             int64_t micro_batch_windows, GradientMean* over_ranks) {
  int64_t at_once = std::min(micro_batch_windows, inputs.size(1));
  while (inputs.size(1) % at_once != 0) --at_once;
  arena.zero_gradients();
  accumulate_gradients(model, inputs, targets, at_once, over_ranks);
  return gradient_norms(arena);
}

StepResult train_step(const LanguageModel& model, ParameterArena& arena, AdamW& optimizer,
                      const at::Tensor& inputs, const at::Tensor& targets,
                      int64_t micro_batch_windows, const std::vector<double>& clip_norms,
                      std::vector<UpdateRow> rows, GradientMean* over_ranks,
                      bool measure_small_batch) {
  std::vector<at::Tensor> read;
  if (measure_small_batch) {
    read.push_back(small_batch_norms(model, arena, small_batch_of(inputs), small_batch_of(targets),
                                     micro_batch_windows, over_ranks));
  }
  arena.zero_gradients();
  const at::Tensor loss =
      accumulate_gradients(model, inputs, targets, micro_batch_windows, over_ranks);
  read.insert(read.begin(), {loss, gradient_norms(arena)});
  // One read-back a step for all.
  const at::Tensor host = at::stack(read).to(at::kCPU, at::kDouble);  // (2 or 3, R)
  if (over_ranks != nullptr) over_ranks->check_whole();
  const double* numbers = host.data_ptr<double>();
  const auto replicas = static_cast<std::size_t>(arena.replicas());

  StepResult result{
      {numbers, numbers + replicas}, {numbers + replicas, numbers + 2 * replicas}, {}};
  for (std::size_t r = 0; r < replicas; ++r) {
    const double norm = result.grad_norm[r];
    rows[r].active = rows[r].active && std::isfinite(result.loss_nats[r]) && std::isfinite(norm);
    // PyTorch's clip_grad_norm_: the small number keeps a zero gradient harmless.
    rows[r].gradient_scale = clip_norms[r] > 0 ? std::min(1.0, clip_norms[r] / (norm + 1e-6)) : 1.0;
    result.updated.push_back(rows[r].active);
  }
  if (measure_small_batch) {
    result.small_batch_grad_norm.assign(numbers + 2 * replicas, numbers + 3 * replicas);
  }
  optimizer.update(rows);
  return result;
}

std::string describe_step(const ModelShape& shape, int64_t windows, int64_t replicas) {
  return shape.arch + " of n_layer = " + std::to_string(shape.n_layer) +
         ", d_model = " + std::to_string(shape.d_model) +
         ", n_ctx = " + std::to_string(shape.n_ctx) + ", " + std::to_string(replicas) + " x " +
         std::to_string(windows) + " windows at once";
}

}  // namespace scalelaw
