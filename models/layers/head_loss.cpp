#include "models/layers/head_loss.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "models/kernels/cross_entropy.h"
#include "models/layers/cast.h"
#include "models/layers/device_launch.h"
#include "models/layers/product.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kMaxScoredLogits = int64_t{1} << 24;  // 64 MB of float32
constexpr int64_t kLogitsPerTask = 1 << 15;

// The weight as (R, W, V).
at::Tensor as_map(const at::Tensor& weight, EmbeddingTying tying) {
  return tying == EmbeddingTying::kTied ? weight.transpose(1, 2) : weight;
}

at::Tensor at_least_float(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16 ? cast(x, at::kFloat) : x;
}

at::Tensor plain_losses(const at::Tensor& logits, const at::Tensor& targets) {  // (R, M)
  return -logits.log_softmax(-1).gather(2, targets.unsqueeze(2)).squeeze(2);
}

RowScores cross_entropy_on_device(const DeviceKernels& kernels, const at::Tensor& logits,
                                  const at::Tensor& targets, double gradient_scale,
                                  bool wants_correct) {
  const at::Tensor dense_targets = targets.contiguous();
  RowScores scores = {at::empty(targets.sizes(), logits.options().dtype(at::kFloat)), {}};
  if (wants_correct) scores.correct = at::empty(targets.sizes(), logits.options().dtype(at::kBool));
  launch(kernels.cross_entropy,
         {.logits = elements(logits),
          .targets = dense_targets.const_data_ptr<int64_t>(),
          .loss_nats = floats(scores.loss_nats),
          .correct = wants_correct ? scores.correct.mutable_data_ptr<bool>() : nullptr,
          .rows = targets.numel(),
          .vocabulary = logits.size(2),
          .row_stride = logits.stride(1),
          .gradient_scale = static_cast<float>(gradient_scale),
          .type = element_type(logits)},
         logits.device());
  return scores;
}

// The product as cross_entropy() takes it: only a device's kernel does with bf16, and with rows
// that end in a pad, without which products there read and write element by element.
at::Tensor logits_for_loss(const at::Tensor& x, const at::Tensor& map) {
  if (kernels_for(x) == nullptr) return at_least_float(product(x, map));
  const int64_t vocabulary = map.size(2);
  at::Tensor logits = at::empty({x.size(0), x.size(1), padded_vocabulary(vocabulary)}, x.options())
                          .narrow(2, 0, vocabulary);
  product_into(x, map, logits);
  return logits;
}

// Losses and, unless gradient_scale is 0, the gradient in place of the logits (R, M, V).
RowScores cross_entropy(const at::Tensor& logits, const at::Tensor& targets, double gradient_scale,
                        bool wants_correct) {
  if (const DeviceKernels* kernels = kernels_for(logits)) {
    return cross_entropy_on_device(*kernels, logits, targets, gradient_scale, wants_correct);
  }
  RowScores scores;
  const int64_t vocabulary = logits.size(2);
  if (logits.is_cpu() && logits.scalar_type() == at::kFloat) {
    const at::Tensor dense_targets = targets.contiguous();
    scores.loss_nats = at::empty(targets.sizes(), logits.options());
    if (wants_correct) {
      scores.correct = at::empty(targets.sizes(), logits.options().dtype(at::kBool));
    }
    auto* values = logits.mutable_data_ptr<float>();
    const auto* target = dense_targets.const_data_ptr<int64_t>();
    auto* loss = scores.loss_nats.mutable_data_ptr<float>();
    bool* correct = wants_correct ? scores.correct.mutable_data_ptr<bool>() : nullptr;
    const int64_t grain = std::max<int64_t>(1, kLogitsPerTask / vocabulary);
    at::parallel_for(0, targets.numel(), grain, [&](int64_t begin, int64_t end) {
      cross_entropy_rows(end - begin, vocabulary, values + begin * vocabulary, target + begin,
                         static_cast<float>(gradient_scale), loss + begin,
                         correct == nullptr ? nullptr : correct + begin);
    });
    return scores;
  }
  const at::Tensor index = targets.unsqueeze(2);
  if (wants_correct) scores.correct = logits.argmax(-1).eq(targets);
  const at::Tensor maximum = logits.amax(-1, /*keepdim=*/true);
  const at::Tensor margin = maximum - logits.gather(2, index);
  const at::Tensor exponentials =
      gradient_scale == 0 ? (logits - maximum).exp_() : logits.sub_(maximum).exp_();
  const at::Tensor sum = exponentials.sum(-1, /*keepdim=*/true);
  scores.loss_nats = (sum.log() + margin).squeeze(2);
  if (gradient_scale != 0) {
    logits.mul_(gradient_scale / sum);
    logits.scatter_add_(2, index, logits.new_full({1}, -gradient_scale).expand(index.sizes()));
  }
  return scores;
}

// Known on a CPU alone: elsewhere the host would wait for the answer.
bool is_one(const at::Tensor& factors) {  // (R)
  if (!factors.is_cpu() || factors.scalar_type() != at::kFloat) return false;
  const at::Tensor dense = factors.contiguous();
  const auto* values = dense.const_data_ptr<float>();
  return std::all_of(values, values + dense.numel(), [](float value) { return value == 1; });
}

class HeadLossFunction : public torch::autograd::Function<HeadLossFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const Head& head, const at::Tensor& targets, at::ScalarType dtype) {
    const at::Tensor x_cast = cast(x, dtype), weight_cast = cast(weight, dtype);
    const at::Tensor logits = logits_for_loss(x_cast, as_map(weight_cast, head.tying));
    const double scale = 1.0 / static_cast<double>(targets.size(1));
    at::Tensor loss = cross_entropy(logits, targets, scale, false).loss_nats.mean(1);
    context->save_for_backward({x_cast, weight_cast, cast(logits, dtype)});
    context->saved_data["tied"] = head.tying == EmbeddingTying::kTied;
    context->saved_data["weight_gradient"] = head.weight.gradient();
    return loss;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &logits_gradient = saved[2];
    const bool tied = context->saved_data["tied"].toBool();
    const at::Tensor weight_gradient = context->saved_data["weight_gradient"].toTensor();
    // The incoming factor scales the small operand of each product, not the logits' gradient.
    const at::Tensor factor = gradients[0].view({-1, 1, 1});
    const bool scales = !is_one(gradients[0]);
    const at::Tensor scaled_x = scales ? (x * factor).to(x.scalar_type()) : x;
    if (tied) {
      add_transposed_product(logits_gradient, scaled_x, weight_gradient);
    } else {
      add_transposed_product(scaled_x, logits_gradient, weight_gradient);
    }
    at::Tensor dx = product(logits_gradient, tied ? weight : weight.transpose(1, 2));
    if (scales) dx.mul_(factor);
    return {dx, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor head_logits(const at::Tensor& x, const Head& head, const Execution& execution) {
  const at::Tensor weight = head.weight.value().to(execution.compute_dtype);
  return at_least_float(at::bmm(x.to(execution.compute_dtype), as_map(weight, head.tying)));
}

at::Tensor head_loss(const at::Tensor& x, const Head& head, const at::Tensor& targets,
                     const Execution& execution) {
  RECORD_FUNCTION("head_loss", std::vector<c10::IValue>());
  if (!at::GradMode::is_enabled()) {
    return head_scores(x, head, targets, execution).loss_nats.mean(1);
  }
  const at::ScalarType dtype = execution.compute_dtype;
  if (execution.plain_operators) {
    return plain::head_loss(x.to(dtype), head.weight.value().to(dtype), head.tying, targets);
  }
  return HeadLossFunction::apply(x, head.weight.value(), head, targets, dtype);
}

RowScores head_scores(const at::Tensor& x, const Head& head, const at::Tensor& targets,
                      const Execution& execution) {
  RECORD_FUNCTION("head_scores", std::vector<c10::IValue>());
  const at::NoGradGuard no_grad;
  if (execution.plain_operators) {
    const at::Tensor logits = head_logits(x, head, execution);
    return {plain_losses(logits, targets), logits.argmax(-1).eq(targets)};
  }
  const at::Tensor x_cast = cast(x, execution.compute_dtype);
  const at::Tensor map = as_map(cast(head.weight.value(), execution.compute_dtype), head.tying);
  const int64_t rows = x.size(1);
  const int64_t rows_at_once = std::max<int64_t>(1, kMaxScoredLogits / (map.size(0) * map.size(2)));
  std::vector<at::Tensor> losses, correct;
  for (int64_t begin = 0; begin < rows; begin += rows_at_once) {
    const int64_t count = std::min(rows_at_once, rows - begin);
    const at::Tensor logits = logits_for_loss(x_cast.narrow(1, begin, count), map);
    const RowScores scores =
        cross_entropy(logits, targets.narrow(1, begin, count), 0.0, /*wants_correct=*/true);
    losses.push_back(scores.loss_nats);
    correct.push_back(scores.correct);
  }
  return {at::cat(losses, 1), at::cat(correct, 1)};
}

at::Tensor plain::head_loss(const at::Tensor& x, const at::Tensor& weight, EmbeddingTying tying,
                            const at::Tensor& targets) {
  const at::Tensor logits = at::bmm(x, as_map(weight, tying));
  const bool narrow = logits.scalar_type() == at::kBFloat16;
  return plain_losses(narrow ? logits.to(at::kFloat) : logits, targets).mean(1);
}

}  // namespace scalelaw
