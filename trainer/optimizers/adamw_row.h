// The arithmetic of AdamW on a range of floats, one pass over memory.
#pragma once

#include <cstdint>

namespace scalelaw {

// One update, number t = 1, 2, …, with everything that does not depend on the element worked out.
struct AdamWScalars {
  float beta1 = 0, beta2 = 0, epsilon = 0;
  float gradient_scale = 1;   // of clipping
  float keep = 1;             // 1 - learning_rate weight_decay
  float step_size = 0;        // learning_rate / (1 - beta1^t)
  float root_correction = 1;  // 1 / sqrt(1 - beta2^t)
};

// Loshchilov & Hutter 2019, algorithm 2, in PyTorch's order of operations. `count` elements; the
// ranges do not overlap.
void adamw_row(float* values, float* first_moment, float* second_moment, const float* gradients,
               int64_t count, const AdamWScalars& scalars);

}  // namespace scalelaw
