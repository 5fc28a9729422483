// Transposes of row-major float32 matrices, in blocks that stay in registers.
#pragma once

#include <cstdint>

#include "models/kernels/matrix.h"

namespace scalelaw {

// to [columns, rows] = from [rows, columns] transposed, or += it. The two do not overlap.
void transpose(int64_t rows, int64_t columns, ConstMatrix from, Matrix to);
void add_transpose(int64_t rows, int64_t columns, ConstMatrix from, Matrix to);

}  // namespace scalelaw
