// Rotary positions (Su et al. 2021) of one head's rows, in place.
#pragma once

#include <cstdint>

#include "models/kernels/matrix.h"

namespace scalelaw {

// x [rows, 2 half]: row t's pairs (j, j + half) turn by the angles whose cosines and sines are
// row t of cosine and sine [rows, half]; direction -1 turns back.
void rotate_rows(int64_t rows, int64_t half, const float* cosine, const float* sine,
                 float direction, Matrix x);

}  // namespace scalelaw
