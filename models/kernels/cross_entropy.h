// Loss, correctness and logit gradient of rows of logits in one visit, in place.
#pragma once

#include <cstdint>

namespace scalelaw {

// logits [rows, vocabulary] dense, vocabulary >= 1, targets in [0, vocabulary).
//   loss_nats[r] = log sum_v exp(logits[r, v]) - logits[r, targets[r]]
//   correct[r]   = the target is the first largest logit; `correct` may be null
//   gradient_scale not 0: logits become gradient_scale (softmax - one-hot of the target);
//   0: logits are left as they are.
void cross_entropy_rows(int64_t rows, int64_t vocabulary, float* logits, const int64_t* targets,
                        float gradient_scale, float* loss_nats, bool* correct);

}  // namespace scalelaw
