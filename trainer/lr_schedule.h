// The learning rate as a function of the update, nothing else.
#pragma once

#include <cstdint>

#include "trainer/run_config.h"

namespace scalelaw {

// Rate of update `step` (0-based) of `steps`. With w = rint(warmup steps):
//   step < w:  peak (step + 1) / w
//   else       peak (final + (1 - final) (1 + cos(pi (step - w) / (steps - 1 - w))) / 2)
// so the peak is reached at update w - 1, held at w, and the last update has final * peak (unless
// it is the only one after warm-up, which has the peak)
// (Hoffmann et al. 2022: the cosine spans exactly the run).
double learning_rate_at(const ScheduleConfig& schedule, double peak, int64_t step, int64_t steps);

}  // namespace scalelaw
