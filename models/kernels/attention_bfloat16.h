// models/kernels/attention.h with the products in bf16: scores, exponentials and sums in float32,
// each operand rounded once.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kernels/matrix.h"

namespace scalelaw {

// As AttentionHead; for a CPU with has_bfloat16_products().
class BFloat16AttentionHead {
 public:
  BFloat16AttentionHead(int64_t n_tokens, int64_t d_head);

  void forward(ConstMatrix q, ConstMatrix k, ConstMatrix v, Matrix out, float* log_sum);
  void backward(ConstMatrix q, ConstMatrix k, ConstMatrix v, ConstMatrix out,
                ConstMatrix out_gradient, const float* log_sum, Matrix dq, Matrix dk, Matrix dv);

 private:
  int64_t n_tokens_, d_head_, block_;
  float scale_;
  std::vector<float> scores_, score_gradients_;  // [block * T]
  std::vector<float> turned_;                    // [D, T]
  std::vector<float> query_numbers_;             // [T]
};

}  // namespace scalelaw
