// Causal attention of one head over one window, by blocks that stay in the caches: no T x T matrix
// is kept, backward makes the probabilities anew (Dao et al. 2022). Row-major float32; the rows of
// each operand lie `stride` apart.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kernels/matrix.h"

namespace scalelaw {

// Tokens a block: tall enough for the products and short enough that little is computed above the
// diagonal. Even.
int64_t attention_block(int64_t n_tokens);

// Attention with T tokens, head size D and scores scaled by 1 / sqrt(D). The buffers serve one
// thread.
class AttentionHead {
 public:
  AttentionHead(int64_t n_tokens, int64_t d_head);

  // q, k, v, out [T, D]; log_sum [T], for backward.
  void forward(ConstMatrix q, ConstMatrix k, ConstMatrix v, Matrix out, float* log_sum);
  // dq, dk, dv [T, D] are overwritten.
  void backward(ConstMatrix q, ConstMatrix k, ConstMatrix v, ConstMatrix out,
                ConstMatrix out_gradient, const float* log_sum, Matrix dq, Matrix dk, Matrix dv);

 private:
  Matrix room_for_turned(std::vector<float>& buffer) const;             // [D, T]
  ConstMatrix turned(ConstMatrix x, std::vector<float>& buffer) const;  // [D, T]

  int64_t n_tokens_, d_head_, block_;
  float scale_;
  std::vector<float> scores_, score_gradients_;                                // [block * T]
  std::vector<float> q_turned_, k_turned_, v_turned_, g_turned_, out_turned_;  // [D, T]
  std::vector<float> query_numbers_;                                           // [T]
};

}  // namespace scalelaw
