// A decoder-only Transformer as GPT-2's (Radford et al. 2019): pre-norm blocks of causal attention
// and a tanh-GELU MLP. No dropout.
//
// Shapes: R replicas, B windows, T tokens, W d_model, F d_ff.
#include <ATen/TensorOperators.h>

#include <string>
#include <vector>

#include "models/language_model.h"
#include "models/layers/attention.h"
#include "models/layers/bias_gelu.h"
#include "models/layers/embedding.h"
#include "models/layers/linear.h"
#include "models/layers/recompute.h"
#include "models/layers/residual_norm.h"

namespace scalelaw {
namespace {

struct Affine {
  Parameter weight, bias;  // of a norm: gain and bias
};

struct Block {
  Affine norm_1, qkv, attention_out, norm_2, up, down;
};

// Declares the parameters of one block under the names of "blocks.<i>.".
class BlockBuilder {
 public:
  BlockBuilder(const ModelShape& shape, ParameterArena& arena, std::string prefix)
      : shape_(shape), arena_(arena), prefix_(std::move(prefix)) {}

  Block build() {
    const int64_t width = shape_.d_model, d_ff = shape_.d_ff();
    Block block;
    block.norm_1 = norm("norm_1", width);
    block.qkv = map("attention.qkv", width, 3 * width, ParameterGroup::kAttention,
                    matrix_std(shape_, width));
    block.attention_out =
        map("attention.out", width, width, ParameterGroup::kAttention, residual_output_std(shape_));
    block.norm_2 = norm("norm_2", width);
    block.up = map("mlp.up", width, d_ff, ParameterGroup::kMlp, matrix_std(shape_, width));
    block.down = map("mlp.down", d_ff, width, ParameterGroup::kMlp, residual_output_std(shape_));
    return block;
  }

 private:
  Parameter bias(const std::string& name, int64_t size) {
    if (!shape_.bias) return {};
    return arena_.declare(prefix_ + name + ".bias", {size}, ParameterGroup::kBias,
                          Init::constant(0.0));
  }
  Affine norm(const std::string& name, int64_t width) {
    return {arena_.declare(prefix_ + name + ".gain", {width}, ParameterGroup::kNorm,
                           Init::constant(1.0)),
            bias(name, width)};
  }
  Affine map(const std::string& name, int64_t in, int64_t out, ParameterGroup group, double std) {
    return {arena_.declare(prefix_ + name + ".weight", {in, out}, group, Init::normal(std)),
            bias(name, out)};
  }

  const ModelShape& shape_;
  ParameterArena& arena_;
  std::string prefix_;
};

class Transformer : public LanguageModel {
 public:
  Transformer(const ModelShape& shape, const Execution& execution, ParameterArena& arena)
      : LanguageModel(shape, execution, arena) {
    if (shape.position == PositionEncoding::kLearned) {
      position_ =
          arena.declare("position.weight", {shape.n_ctx, shape.d_model},
                        ParameterGroup::kPositionEmbedding, Init::normal(embedding_std(shape)));
    }
    for (int64_t i = 0; i < shape.n_layer; ++i) {
      blocks_.push_back(BlockBuilder(shape, arena, "blocks." + std::to_string(i) + ".").build());
    }
  }

 protected:
  at::Tensor trunk(const at::Tensor& embedded) const override {
    const Execution& how = execution();
    const int64_t windows = embedded.size(1), tokens = embedded.size(2);
    at::Tensor x = embedded;  // (R, B, T, W)
    if (position_.declared()) x = add_positions(x, position_, how);
    if (blocks_.empty()) return x;
    const RotaryTable rotary = rotary_table(x.device());
    const AttentionGeometry geometry = {windows, tokens, shape().n_head};
    ResidualStream stream = {x.view({x.size(0), windows * tokens, x.size(3)}), {}};  // (R, B*T, W)
    for (const Block& block : blocks_) {
      const auto run = [=, this, &block](const ResidualStream& in) {
        return run_block(block, in, geometry, rotary);
      };
      stream = through_block(run, stream, how);
    }
    return (stream.residual + stream.branch).view(embedded.sizes());
  }

 private:
  ResidualStream run_block(const Block& block, const ResidualStream& in,
                           const AttentionGeometry& geometry, const RotaryTable& rotary) const {
    const Execution& how = execution();
    ResidualNorm stream = residual_norm(in, block.norm_1.weight, block.norm_1.bias, how);
    const at::Tensor qkv = linear(stream.normed, block.qkv.weight, block.qkv.bias, how);
    const at::Tensor heads = causal_attention(qkv, geometry, rotary, how);
    const at::Tensor attended =
        linear(heads, block.attention_out.weight, block.attention_out.bias, how);
    stream = residual_norm(stream.residual, attended, block.norm_2.weight, block.norm_2.bias, how);
    const at::Tensor up = linear(stream.normed, block.up.weight, Parameter(), how);
    return {stream.residual,
            linear(bias_gelu(up, block.up.bias, how), block.down.weight, block.down.bias, how)};
  }

  RotaryTable rotary_table(at::Device device) const {
    if (shape().position != PositionEncoding::kRotary) return {};
    if (!rotary_.cosine.defined()) {
      rotary_ = make_rotary_table(shape().n_ctx, shape().d_head(), device);
    }
    return rotary_;
  }

  Parameter position_;
  std::vector<Block> blocks_;
  mutable RotaryTable rotary_;  // made at the first forward, on the arena's device
};

}  // namespace

std::unique_ptr<LanguageModel> make_transformer(const ModelShape& shape, const Execution& execution,
                                                ParameterArena& arena) {
  return std::make_unique<Transformer>(shape, execution, arena);
}

}  // namespace scalelaw
