#include "trainer/optimizers/adamw_row.h"

namespace scalelaw {

// Compiled once for each instruction set and chosen at load time; the file has
// -fno-math-errno so that sqrt vectorises.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void adamw_row(
    float* __restrict values, float* __restrict first_moment, float* __restrict second_moment,
    const float* __restrict gradients, int64_t count, const AdamWScalars& scalars) {
  const AdamWScalars s = scalars;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    adamw_element(s, gradients[i], values[i], first_moment[i], second_moment[i]);
  }
}

}  // namespace scalelaw
