// The arithmetic of AdamW on a range of floats, one pass over memory.
#pragma once

#include <cstdint>

#include "models/kernels/adamw_math.h"

namespace scalelaw {

// adamw_element() on each of `count` elements; the ranges do not overlap.
void adamw_row(float* values, float* first_moment, float* second_moment, const float* gradients,
               int64_t count, const AdamWScalars& scalars);

}  // namespace scalelaw
