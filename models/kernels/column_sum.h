// Sums over the rows of a dense matrix.
#pragma once

#include <cstdint>

namespace scalelaw {

// sum [columns] += x [rows, columns], row after row.
void add_column_sums(int64_t rows, int64_t columns, const float* x, float* sum);

}  // namespace scalelaw
