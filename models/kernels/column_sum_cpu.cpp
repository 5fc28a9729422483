#include "models/kernels/column_sum.h"

#include "models/kernels/vector_math.h"

namespace scalelaw {

SCALELAW_VECTOR_CLONES
void add_column_sums(int64_t rows, int64_t columns, const float* __restrict x,
                     float* __restrict sum) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t j = 0; j < columns; ++j) sum[j] += x[row * columns + j];
  }
}

}  // namespace scalelaw
