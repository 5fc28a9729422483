#include "models/layers/recompute.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <utility>

namespace scalelaw {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A function for AutogradContext::saved_data.
struct KeptBlock : torch::CustomClassHolder {
  explicit KeptBlock(BlockFunction kept) : block(std::move(kept)) {}
  BlockFunction block;
};

at::Tensor as_leaf(const at::Tensor& saved) {
  return saved.defined() ? saved.detach().requires_grad_(true) : at::Tensor();
}

at::Tensor gradient_of(const at::Tensor& leaf) {
  return leaf.defined() ? leaf.grad() : at::Tensor();
}

class RecomputedBlock : public torch::autograd::Function<RecomputedBlock> {
 public:
  // `branch` empty: nothing to add yet.
  static variable_list forward(AutogradContext* context, const at::Tensor& residual,
                               const std::optional<at::Tensor>& branch,
                               const BlockFunction& block) {
    const at::Tensor added = branch.value_or(at::Tensor());
    context->save_for_backward({residual, added});
    context->saved_data["block"] = c10::IValue::make_capsule(c10::make_intrusive<KeptBlock>(block));
    context->saved_data["spent"] = false;
    context->set_materialize_grads(false);
    const ResidualStream out = block({residual.detach(), added.defined() ? added.detach() : added});
    return {out.residual, out.branch};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    auto& data = context->saved_data;
    TORCH_CHECK(!data["spent"].toBool(), "through_block: backward ran twice through one forward");
    data["spent"] = true;
    const variable_list saved = context->get_saved_variables();
    const ResidualStream in = {as_leaf(saved[0]), as_leaf(saved[1])};
    const auto kept = c10::static_intrusive_pointer_cast<KeptBlock>(data["block"].toCapsule());
    variable_list outputs, output_gradients;
    {
      const at::AutoGradMode with_gradients(true);
      const ResidualStream out = kept->block(in);
      for (const auto& [output, gradient] :
           {std::pair{out.residual, gradients[0]}, std::pair{out.branch, gradients[1]}}) {
        if (!gradient.defined()) continue;
        outputs.push_back(output);
        output_gradients.push_back(gradient);
      }
    }
    torch::autograd::backward(outputs, output_gradients);
    return {gradient_of(in.residual), gradient_of(in.branch), at::Tensor()};
  }
};

}  // namespace

ResidualStream through_block(const BlockFunction& block, const ResidualStream& stream,
                             const Execution& execution) {
  const bool trains = at::GradMode::is_enabled() && stream.residual.requires_grad();
  if (!execution.recompute_blocks || !trains) return block(stream);
  RECORD_FUNCTION("recomputed_block", std::vector<c10::IValue>());
  const auto branch =
      stream.branch.defined() ? std::optional(stream.branch) : std::optional<at::Tensor>();
  const variable_list out = RecomputedBlock::apply(stream.residual, branch, block);
  return {out[0], out[1]};
}

}  // namespace scalelaw
