#include "models/layers/residual_norm.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "models/gradient_watch.h"
#include "models/kernels/layer_norm.h"
#include "models/layers/device_launch.h"
#include "models/layers/product.h"
#include "models/layers/row_blocks.h"

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What is normalised, its norm, and of each row its mean and 1 / sqrt(variance + eps).
struct Normed {
  at::Tensor x, normed;
  at::Tensor moments;  // (R, M, 2)
};

// The rows of replica r from `row` on, to read and to write; null of an undefined tensor.
const float* rows_of(const at::Tensor& x, int64_t r, int64_t row) {
  return x.defined() ? x.const_data_ptr<float>() + (r * x.size(1) + row) * x.size(2) : nullptr;
}
float* rows_into(const at::Tensor& x, int64_t r, int64_t row) {
  return x.defined() ? x.mutable_data_ptr<float>() + (r * x.size(1) + row) * x.size(2) : nullptr;
}

// branch undefined: norm alone.
Normed forward_by_kernel(const at::Tensor& residual, const at::Tensor& branch,
                         const at::Tensor& gain, const at::Tensor& bias) {
  const int64_t rows = residual.size(1), width = residual.size(2);
  const at::Tensor sum = branch.defined() ? at::empty_like(residual) : at::Tensor();
  const at::Tensor normed = at::empty_like(residual);
  const at::Tensor moments = at::empty({residual.size(0), rows, 2}, residual.options());
  const int64_t grain = std::max<int64_t>(1, kElementsPerTask / width);
  for (int64_t r = 0; r < residual.size(0); ++r) {
    at::parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
      norm_forward(end - begin, width, static_cast<float>(kNormEpsilon),
                   rows_of(residual, r, begin), rows_of(branch, r, begin), replica_vector(gain, r),
                   replica_vector(bias, r), rows_into(sum, r, begin), rows_into(normed, r, begin),
                   rows_into(moments, r, begin));
    });
  }
  return {sum.defined() ? sum : residual, normed, moments};
}

// normed in `dtype`, which whatever reads it casts to.
Normed forward_on_device(const DeviceKernels& kernels, const at::Tensor& residual,
                         const at::Tensor& branch, const at::Tensor& gain, const at::Tensor& bias,
                         at::ScalarType dtype) {
  const at::Tensor sum = branch.defined() ? at::empty_like(residual) : at::Tensor();
  const at::Tensor normed = at::empty_like(residual, dtype);
  const at::Tensor moments = at::empty({residual.size(0), residual.size(1), 2}, residual.options());
  launch(kernels.norm_forward,
         {.residual = floats(residual),
          .branch = elements(branch),
          .gain = replica_rows(gain),
          .bias = replica_rows(bias),
          .sum = floats(sum),
          .normed = elements(normed),
          .moments = floats(moments),
          .replicas = residual.size(0),
          .rows = residual.size(1),
          .width = residual.size(2),
          .epsilon = static_cast<float>(kNormEpsilon),
          .branch_type = branch.defined() ? element_type(branch) : ElementType::kFloat,
          .normed_type = element_type(normed)},
         residual.device());
  return {sum.defined() ? sum : residual, normed, moments};
}

Normed forward_by_operators(const at::Tensor& residual, const at::Tensor& branch,
                            const at::Tensor& gain, const at::Tensor& bias) {
  const at::Tensor x = branch.defined() ? residual + branch : residual;
  const at::Tensor mean = x.mean(-1, /*keepdim=*/true);
  at::Tensor normed = x - mean;
  const at::Tensor rstd = (normed.square().mean(-1, /*keepdim=*/true) + kNormEpsilon).rsqrt();
  normed.mul_(rstd).mul_(gain.unsqueeze(1));
  if (bias.defined()) normed.add_(bias.unsqueeze(1));
  return {x, normed, at::cat({mean, rstd}, 2)};
}

struct Backward {
  at::Tensor x, moments, gain;
  at::Tensor normed_gradient, residual_gradient;  // the second may be undefined
  at::Tensor gain_gradient, bias_gradient;        // added to; the second may be undefined
};

// The gradient of x, and again in bf16 where the branch was of that type.
std::pair<at::Tensor, at::Tensor> backward_on_device(const DeviceKernels& kernels,
                                                     const Backward& to, bool bf16_branch) {
  const at::Tensor dx = at::empty_like(to.x);
  const at::Tensor branch = bf16_branch ? at::empty_like(to.x, at::kBFloat16) : at::Tensor();
  launch(kernels.norm_backward,
         {.x = floats(to.x),
          .moments = floats(to.moments),
          .normed_gradient = elements(to.normed_gradient),
          .residual_gradient = floats(to.residual_gradient),
          .x_gradient = floats(dx),
          .x_gradient_bf16 = elements(branch),
          .gain = replica_rows(to.gain),
          .gain_gradient = replica_rows(to.gain_gradient),
          .bias_gradient = replica_rows(to.bias_gradient),
          .partial_sums = floats(room_for_row_sums(to.x, 2 * to.x.size(2))),
          .replicas = to.x.size(0),
          .rows = to.x.size(1),
          .width = to.x.size(2),
          .normed_type = element_type(to.normed_gradient)},
         to.x.device());
  gradient_written(to.gain_gradient);
  if (to.bias_gradient.defined()) gradient_written(to.bias_gradient);
  return {dx, branch.defined() ? branch : dx};
}

at::Tensor backward_by_kernel(const Backward& to) {
  const int64_t rows = to.x.size(1), width = to.x.size(2);
  const bool has_bias = to.bias_gradient.defined();
  at::Tensor dx = at::empty_like(to.x);
  for (int64_t r = 0; r < to.x.size(0); ++r) {
    const auto sums = sum_row_blocks(
        rows, (has_bias ? 2 : 1) * width, [&](int64_t first, int64_t count, float* block_sums) {
          norm_backward(count, width, rows_of(to.x, r, first), rows_of(to.moments, r, first),
                        replica_vector(to.gain, r), rows_of(to.normed_gradient, r, first),
                        rows_of(to.residual_gradient, r, first), rows_into(dx, r, first),
                        block_sums, has_bias ? block_sums + width : nullptr);
        });
    add_to_replica(to.gain_gradient, r, sums.data());
    if (has_bias) add_to_replica(to.bias_gradient, r, sums.data() + width);
  }
  return dx;
}

at::Tensor backward_by_operators(const Backward& to) {
  const at::Tensor mean = to.moments.narrow(2, 0, 1), rstd = to.moments.narrow(2, 1, 1);
  const at::Tensor y = (to.x - mean).mul_(rstd);
  add_row_sum(y * to.normed_gradient, to.gain_gradient);
  if (to.bias_gradient.defined()) add_row_sum(to.normed_gradient, to.bias_gradient);
  const at::Tensor g = to.normed_gradient * to.gain.unsqueeze(1);
  at::Tensor dx =
      (g - g.mean(-1, /*keepdim=*/true) - y * (g * y).mean(-1, /*keepdim=*/true)).mul_(rstd);
  return to.residual_gradient.defined() ? dx.add_(to.residual_gradient) : dx;
}

const DeviceKernels* norm_kernels_for(const at::Tensor& residual, const at::Tensor& branch) {
  const bool fits = residual.scalar_type() == at::kFloat && residual.is_contiguous() &&
                    residual.size(2) <= kMaxNormWidth;
  const bool branch_fits = !branch.defined() || (branch.is_contiguous() && kernels_for(branch));
  return fits && branch_fits ? kernels_for(residual) : nullptr;
}

enum class Way : int64_t { kDevice, kCpu, kOperators };

// With `branch` empty: norm alone, one output. Else two: the sum and its norm.
class ResidualNormFunction : public torch::autograd::Function<ResidualNormFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& residual,
                               const at::Tensor& branch, const at::Tensor& gain,
                               const Parameter& gain_parameter, const Parameter& bias_parameter,
                               at::ScalarType dtype) {
    const bool adds = branch.numel() > 0;
    const at::Tensor bias = bias_parameter.declared() ? bias_parameter.value() : at::Tensor();
    Way way = Way::kDevice;
    Normed result;
    if (const DeviceKernels* kernels = norm_kernels_for(residual, adds ? branch : at::Tensor())) {
      result =
          forward_on_device(*kernels, residual, adds ? branch : at::Tensor(), gain, bias, dtype);
    } else {
      const at::Tensor added = adds ? branch.to(residual.scalar_type()) : at::Tensor();
      const bool has_kernels = has_row_kernels(residual) && (!adds || has_row_kernels(added));
      way = has_kernels ? Way::kCpu : Way::kOperators;
      const auto forward = has_kernels ? forward_by_kernel : forward_by_operators;
      result = forward(residual, added, gain, bias);
    }
    context->saved_data["gain_gradient"] = gain_parameter.gradient();
    if (bias.defined()) context->saved_data["bias_gradient"] = bias_parameter.gradient();
    context->saved_data["adds"] = adds;
    context->saved_data["bf16_branch"] = adds && branch.scalar_type() == at::kBFloat16;
    context->saved_data["way"] = static_cast<int64_t>(way);
    context->save_for_backward({result.x, result.moments, gain});
    if (!adds) return {result.normed};
    context->set_materialize_grads(false);
    return {result.x, result.normed};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const bool adds = context->saved_data["adds"].toBool();
    const at::Tensor through = adds ? gradients[0] : at::Tensor();
    at::Tensor dx = through, branch = through;
    if (gradients.back().defined()) std::tie(dx, branch) = back(context, through, gradients.back());
    return {dx,          adds ? branch : at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(),
            at::Tensor()};
  }

 private:
  // Gradients of residual and branch.
  static std::pair<at::Tensor, at::Tensor> back(AutogradContext* context, const at::Tensor& through,
                                                const at::Tensor& normed_gradient) {
    const variable_list saved = context->get_saved_variables();
    auto& data = context->saved_data;
    const auto bias = data.find("bias_gradient");
    const Backward to = {saved[0],
                         saved[1],
                         saved[2],
                         normed_gradient.contiguous(),
                         through.defined() ? through.contiguous() : at::Tensor(),
                         data["gain_gradient"].toTensor(),
                         bias != data.end() ? bias->second.toTensor() : at::Tensor()};
    const auto way = static_cast<Way>(data["way"].toInt());
    if (way == Way::kDevice) {
      return backward_on_device(*kernels_for(to.x), to, data["bf16_branch"].toBool());
    }
    const at::Tensor dx = way == Way::kCpu ? backward_by_kernel(to) : backward_by_operators(to);
    return {dx, dx};
  }
};

at::Tensor value_or_undefined(const Parameter& parameter) {
  return parameter.declared() ? parameter.value() : at::Tensor();
}

}  // namespace

ResidualNorm residual_norm(const at::Tensor& residual, const at::Tensor& branch,
                           const Parameter& gain, const Parameter& bias,
                           const Execution& execution) {
  RECORD_FUNCTION("residual_norm", std::vector<c10::IValue>());
  if (execution.plain_operators) {
    const at::Tensor sum = residual + branch;
    return {sum, plain::norm(sum, gain.value(), value_or_undefined(bias))};
  }
  const variable_list out = ResidualNormFunction::apply(residual, branch, gain.value(), gain, bias,
                                                        execution.compute_dtype);
  return {out[0], out[1]};
}

ResidualNorm residual_norm(const ResidualStream& stream, const Parameter& gain,
                           const Parameter& bias, const Execution& execution) {
  if (!stream.branch.defined()) {
    return {stream.residual, norm(stream.residual, gain, bias, execution)};
  }
  return residual_norm(stream.residual, stream.branch, gain, bias, execution);
}

at::Tensor norm(const at::Tensor& x, const Parameter& gain, const Parameter& bias,
                const Execution& execution) {
  RECORD_FUNCTION("norm", std::vector<c10::IValue>());
  if (execution.plain_operators) {
    return plain::norm(x, gain.value(), value_or_undefined(bias));
  }
  const at::Tensor no_branch = x.new_empty({0});
  return ResidualNormFunction::apply(x, no_branch, gain.value(), gain, bias,
                                     execution.compute_dtype)[0];
}

at::Tensor plain::norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias) {
  const at::Tensor centred = x - x.mean(-1, /*keepdim=*/true);
  const at::Tensor variance = centred.square().mean(-1, /*keepdim=*/true);
  const at::Tensor normed = centred * (variance + kNormEpsilon).rsqrt() * gain.unsqueeze(1);
  return bias.defined() ? normed + bias.unsqueeze(1) : normed;
}

}  // namespace scalelaw
