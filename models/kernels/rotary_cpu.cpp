#include "models/kernels/rotary.h"

#include "models/kernels/rotary_math.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {

SCALELAW_VECTOR_CLONES
void rotate_rows(int64_t rows, int64_t half, const float* cosine, const float* sine,
                 float direction, Matrix x) {
  for (int64_t t = 0; t < rows; ++t) {
    float* __restrict first = x.data + t * x.stride;
    float* __restrict second = first + half;
    const float* __restrict c = cosine + t * half;
    const float* __restrict s = sine + t * half;
    for (int64_t j = 0; j < half; ++j) {
      turn_pair(c[j], direction * s[j], first[j], second[j]);
    }
  }
}

}  // namespace scalelaw
