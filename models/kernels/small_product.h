// Dense row-major float32 products of the sizes that a recurrence multiplies at every step, on one
// thread, without a tensor's overhead.
#pragma once

#include <cstdint>

namespace scalelaw {

// c = a b, or c += a b; a [rows, depth], b [depth, columns], c [rows, columns].
void small_product(int64_t rows, int64_t columns, int64_t depth, const float* a, const float* b,
                   float* c, bool add);

}  // namespace scalelaw
