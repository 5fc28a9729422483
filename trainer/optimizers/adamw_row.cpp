#include "trainer/optimizers/adamw_row.h"

#include <cmath>

namespace scalelaw {

// Compiled once for each instruction set and chosen at load time; the file has
// -fno-math-errno so that sqrt vectorises.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void adamw_row(
    float* __restrict values, float* __restrict first_moment, float* __restrict second_moment,
    const float* __restrict gradients, int64_t count, const AdamWScalars& scalars) {
  const AdamWScalars s = scalars;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradients[i] * s.gradient_scale;
    const float m = s.beta1 * first_moment[i] + (1.0f - s.beta1) * g;
    const float v = s.beta2 * second_moment[i] + (1.0f - s.beta2) * g * g;
    first_moment[i] = m;
    second_moment[i] = v;
    values[i] =
        values[i] * s.keep - s.step_size * m / (std::sqrt(v) * s.root_correction + s.epsilon);
  }
}

}  // namespace scalelaw
