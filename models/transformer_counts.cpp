// Kaplan et al. 2020, 2.1 and 2.2, with d_attn = d_model: a layer's weights are 4 W^2 for attention
// and 2 W F for the MLP; each weight is one multiply-add a token.
#include <cmath>

#include "models/architecture_counts.h"

namespace scalelaw {
namespace {

void check(const ModelShape& shape, std::vector<ShapeProblem>& problems) {
  constexpr double kMaxFeedForward = 1 << 24;
  const double d_ff = shape.d_ff_ratio * static_cast<double>(shape.d_model);
  if (!(d_ff >= 1 && d_ff <= kMaxFeedForward) ||
      std::abs(d_ff - std::rint(d_ff)) > 1e-6) {  // 8/3 written with a few decimals is rejected
    problems.push_back(
        {"model.d_ff_ratio", "times model.d_model = " + std::to_string(shape.d_model) +
                                 " must be a whole number, 1 to 16777216"});
  }
  if (shape.n_head < 1 || shape.d_model % shape.n_head != 0) {
    problems.push_back(
        {"model.n_head", "must divide model.d_model = " + std::to_string(shape.d_model) + ", is " +
                             std::to_string(shape.n_head)});
  } else if (shape.position == PositionEncoding::kRotary && shape.d_head() % 2 != 0) {
    problems.push_back({"model.n_head", "rotary positions need an even d_model / n_head, is " +
                                            std::to_string(shape.d_head())});
  }
}

ModelCounts trunk(const ModelShape& shape) {
  const int64_t layers = shape.n_layer, width = shape.d_model, d_ff = shape.d_ff();
  ModelCounts counts;
  ParameterCounts& p = counts.parameters;
  if (shape.position == PositionEncoding::kLearned) p.position_embedding = shape.n_ctx * width;
  p.attention = layers * 4 * width * width;
  p.mlp = layers * 2 * width * d_ff;
  p.norm = layers * 2 * width;
  // qkv 3 W, attention output W, up F, down W, two norms 2 W
  if (shape.bias) p.bias = layers * (7 * width + d_ff);

  ForwardFlops& flops = counts.forward_flops;
  flops.attention = 2 * static_cast<double>(p.attention);
  flops.mlp = 2 * static_cast<double>(p.mlp);
  flops.attention_scores = 2 * static_cast<double>(layers) * static_cast<double>(shape.n_ctx) *
                           static_cast<double>(width);
  return counts;
}

// Of models/transformer.cpp's block, in the order in which it is computed.
TrunkMemory trunk_memory(const ModelShape& shape, const StepSetup& setup) {
  const auto width = static_cast<double>(shape.d_model), d_ff = static_cast<double>(shape.d_ff());
  const double product = setup.product_bytes(), between = setup.between_bytes();
  const bool is_gpu = setup.device == DeviceKind::kGpu;
  TrunkMemory memory;
  const double moments = 2 * 4, log_sums = 4 * static_cast<double>(shape.n_head);
  const double norm = 4 * width + moments + product * width;  // the stream; what the product reads
  double attention = between * 4 * width + log_sums;          // queries, keys, values; result
  if (product != between) attention += product * width;       // the result as the product reads it
  // Operators turn copies, kernels turn in place.
  const bool turns_copies = is_gpu && !setup.gpu_kernels;
  if (turns_copies && shape.position == PositionEncoding::kRotary) attention += between * 2 * width;
  memory.kept_a_block = 2 * norm + attention + (between + product) * d_ff;  // slope; activation
  memory.block_inputs = 4 * width + between * width;
  // Of the second matrix's input, made in the products' type, and of the stream.
  memory.in_flight =
      4 * width + (product != between ? product * (width + d_ff) : 0) + between * (width + d_ff);
  memory.copied_weights_a_block = width * (4 * width + 2 * d_ff);
  return memory;
}

}  // namespace

ArchitectureCounts describe_transformer() {
  return {{}, check, trunk, trunk_memory};
}

}  // namespace scalelaw
