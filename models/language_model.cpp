#include "models/language_model.h"

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <stdexcept>

#include "models/layers/embedding.h"
#include "models/layers/head_loss.h"
#include "models/layers/residual_norm.h"

namespace scalelaw {
namespace {

// The kernels trust their indices. A GPU's are not looked at, which would stop it; those of a data
// set were checked where they were read (trainer/data/token_shard.h).
void check_indices(const at::Tensor& indices, const ModelShape& shape, const char* what) {
  TORCH_CHECK(indices.dim() == 3 && indices.scalar_type() == at::kLong, what,
              " must be (R, B, T) int64, is ", indices.sizes(), " ", indices.scalar_type());
  TORCH_CHECK(indices.size(2) <= shape.n_ctx, what, ": windows of ", indices.size(2),
              " tokens, n_ctx is ", shape.n_ctx);
  if (!indices.is_cpu() || indices.numel() == 0) return;
  const auto low = indices.min().item<int64_t>(), high = indices.max().item<int64_t>();
  TORCH_CHECK(low >= 0 && high < shape.n_vocab, what, " from ", low, " to ", high, ", n_vocab is ",
              shape.n_vocab);
}

}  // namespace

LanguageModel::LanguageModel(const ModelShape& shape, const Execution& execution,
                             ParameterArena& arena)
    : shape_(shape), execution_(execution) {
  const int64_t width = shape.d_model, vocabulary = shape.n_vocab;
  embedding_ = arena.declare("embedding.weight", {vocabulary, width},
                             ParameterGroup::kTokenEmbedding, Init::normal(embedding_std(shape)));
  norm_gain_ =
      arena.declare("final_norm.gain", {width}, ParameterGroup::kNorm, Init::constant(1.0));
  if (shape.bias) {
    norm_bias_ =
        arena.declare("final_norm.bias", {width}, ParameterGroup::kBias, Init::constant(0.0));
  }
  if (shape.embeddings == EmbeddingTying::kUntied) {
    head_ = arena.declare("head.weight", {width, vocabulary}, ParameterGroup::kHead,
                          Init::normal(matrix_std(shape, width)));
  } else {
    head_ = embedding_;
  }
}

at::Tensor LanguageModel::final_hidden(const at::Tensor& tokens) const {
  check_indices(tokens, shape_, "tokens");
  TORCH_CHECK(tokens.size(0) == embedding_.value().size(0), "tokens of ", tokens.size(0),
              " replicas, the arena has ", embedding_.value().size(0));
  const at::Tensor x = embed(tokens.flatten(1, 2), embedding_, execution_)
                           .view({tokens.size(0), tokens.size(1), tokens.size(2), shape_.d_model});
  const at::Tensor y = trunk(x).reshape({x.size(0), x.size(1) * x.size(2), shape_.d_model});
  return norm(y, norm_gain_, norm_bias_, execution_);
}

at::Tensor LanguageModel::logits(const at::Tensor& tokens) const {
  return head_logits(final_hidden(tokens), {head_, shape_.embeddings}, execution_)
      .view({tokens.size(0), tokens.size(1), tokens.size(2), shape_.n_vocab});
}

at::Tensor LanguageModel::training_loss(const at::Tensor& tokens, const at::Tensor& targets) const {
  check_indices(targets, shape_, "targets");
  return head_loss(final_hidden(tokens), {head_, shape_.embeddings}, targets.flatten(1, 2),
                   execution_);
}

TokenScores LanguageModel::score(const at::Tensor& tokens, const at::Tensor& targets) const {
  const at::NoGradGuard no_grad;
  check_indices(targets, shape_, "targets");
  const RowScores scores = head_scores(final_hidden(tokens), {head_, shape_.embeddings},
                                       targets.flatten(1, 2), execution_);
  return {scores.loss_nats.view(targets.sizes()), scores.correct.view(targets.sizes())};
}

std::unique_ptr<LanguageModel> make_model(const ModelShape& shape, const Execution& execution,
                                          ParameterArena& arena) {
  for (const ShapeProblem& problem : validate(shape)) {
    throw std::invalid_argument(problem.key + " " + problem.rule);
  }
  if (shape.n_vocab < 1) throw std::invalid_argument("model.n_vocab must be at least 1");
#define SCALELAW_ARCHITECTURE(name, what) \
  if (shape.arch == #name) return make_##name(shape, execution, arena);
#include "models/architectures.def"
#undef SCALELAW_ARCHITECTURE
  throw std::invalid_argument("model.arch '" + shape.arch + "' is not in architectures.def");
}

}  // namespace scalelaw
