// The arithmetic of AdamW on one element (Loshchilov & Hutter 2019, algorithm 2, in PyTorch's order
// of operations).
#pragma once

#include <cmath>

#include "models/kernels/host_device.h"

namespace scalelaw {

// One update, number t = 1, 2, …, with everything that does not depend on the element worked out.
struct AdamWScalars {
  float beta1 = 0, beta2 = 0, epsilon = 0;
  float gradient_scale = 1;   // of clipping
  float keep = 1;             // 1 - learning_rate weight_decay
  float step_size = 0;        // learning_rate / (1 - beta1^t)
  float root_correction = 1;  // 1 / sqrt(1 - beta2^t)
};

SCALELAW_HOST_DEVICE void adamw_element(const AdamWScalars& s, float gradient, float& value,
                                        float& first_moment, float& second_moment) {
  const float g = gradient * s.gradient_scale;
  const float m = s.beta1 * first_moment + (1.0f - s.beta1) * g;
  const float v = s.beta2 * second_moment + (1.0f - s.beta2) * g * g;
  first_moment = m;
  second_moment = v;
  value = value * s.keep - s.step_size * m / (std::sqrt(v) * s.root_correction + s.epsilon);
}

}  // namespace scalelaw
