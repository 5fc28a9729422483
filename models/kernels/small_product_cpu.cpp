#include <ATen/native/CPUBlas.h>

#include "models/kernels/small_product.h"

namespace scalelaw {

// brgemm is LibTorch's own wrapper of oneDNN's micro-kernels; where the CPU or the build has none
// it calls the BLAS itself. It is not a public API: this file is the only one that knows of it.
void small_product(int64_t rows, int64_t columns, int64_t depth, const float* a, const float* b,
                   float* c, bool add) {
  at::native::cpublas::brgemm(rows, columns, depth, depth, columns, columns, add, a, b, c);
}

}  // namespace scalelaw
