// The head's product and cross-entropy in one: no log-softmax is kept, and the logits' buffer
// becomes their gradient.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/execution.h"
#include "models/parameter_arena.h"

namespace scalelaw {

struct Head {
  Parameter weight;
  EmbeddingTying tying = EmbeddingTying::kTied;  // tied: weight [R, V, W]; untied: [R, W, V]
};

// x (R, M, W) dense; targets (R, M) int64 in [0, V).
at::Tensor head_logits(const at::Tensor& x, const Head& head,
                       const Execution& execution);  // (R, M, V), at least float32
// Mean over M of each replica's cross-entropy in nats, (R).
at::Tensor head_loss(const at::Tensor& x, const Head& head, const at::Tensor& targets,
                     const Execution& execution);

struct RowScores {
  at::Tensor loss_nats;  // (R, M)
  at::Tensor correct;    // (R, M) bool: the target is the first largest logit
};
// Without gradient, a bounded number of logits at a time.
RowScores head_scores(const at::Tensor& x, const Head& head, const at::Tensor& targets,
                      const Execution& execution);

namespace plain {
at::Tensor head_loss(const at::Tensor& x, const at::Tensor& weight, EmbeddingTying tying,
                     const at::Tensor& targets);
}  // namespace plain

}  // namespace scalelaw
