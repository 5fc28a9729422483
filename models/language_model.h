// What every architecture shares: token embedding, final norm, head, loss. An architecture is a
// trunk between embedding and final norm (models/transformer.cpp, models/lstm.cpp); only trunks
// differ, so only trunks are compared.
//
// Parameters: embedding.weight [V, W], final_norm.gain and .bias [W] (eps 1e-5), and with an untied
// head head.weight [W, V]; the head has no bias. At the start the embedding is
// N(0, embedding_std(shape)^2), models/parameter_arena.h; an untied head is a matrix like any
// other.
//
// Shapes: R replicas, B windows, T tokens a window (T <= n_ctx), W d_model, V n_vocab.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "models/execution.h"
#include "models/model_shape.h"
#include "models/parameter_arena.h"

namespace scalelaw {

struct TokenScores {
  at::Tensor loss_nats;  // (R, B, T) float32
  at::Tensor correct;    // (R, B, T) bool: the target is the most likely token
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;
  LanguageModel(const LanguageModel&) = delete;
  LanguageModel& operator=(const LanguageModel&) = delete;

  // tokens, targets (R, B, T) int64 on the arena's device.
  at::Tensor logits(const at::Tensor& tokens) const;  // (R, B, T, V) float32, differentiable
  // Mean loss of each replica, (R) float32, differentiable. Train on its sum: a replica's
  // gradient is then its own.
  at::Tensor training_loss(const at::Tensor& tokens, const at::Tensor& targets) const;
  TokenScores score(const at::Tensor& tokens, const at::Tensor& targets) const;  // no gradient

  const ModelShape& shape() const { return shape_; }
  const Execution& execution() const { return execution_; }

 protected:
  // Declares embedding, final norm and head; a subclass then declares its trunk.
  LanguageModel(const ModelShape& shape, const Execution& execution, ParameterArena& arena);
  // (R, B, T, W) -> (R, B, T, W); position t may depend on positions 0..t only.
  virtual at::Tensor trunk(const at::Tensor& x) const = 0;

 private:
  at::Tensor final_hidden(const at::Tensor& tokens) const;  // (R, B*T, W)

  ModelShape shape_;
  Execution execution_;
  Parameter embedding_, norm_gain_, norm_bias_, head_;
};

// Builds `shape.arch` and declares its parameters; the caller then allocates and initialises the
// arena. std::invalid_argument when validate(shape) is not empty or n_vocab is 0.
std::unique_ptr<LanguageModel> make_model(const ModelShape& shape, const Execution& execution,
                                          ParameterArena& arena);

#define SCALELAW_ARCHITECTURE(name, what)                                                         \
  std::unique_ptr<LanguageModel> make_##name(const ModelShape& shape, const Execution& execution, \
                                             ParameterArena& arena);
#include "models/architectures.def"
#undef SCALELAW_ARCHITECTURE

}  // namespace scalelaw
