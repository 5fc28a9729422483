#include <ATen/native/CPUBlas.h>

#include "models/kernels/dense_product.h"

namespace scalelaw {

// brgemm is LibTorch's own wrapper of oneDNN's micro-kernels; where the CPU or the build has none
// it calls the BLAS itself. It is not a public API: this file is the only one that knows of it.
void dense_product(int64_t rows, int64_t columns, int64_t depth, ConstMatrix a, ConstMatrix b,
                   Matrix c, bool add) {
  at::native::cpublas::brgemm(rows, columns, depth, a.stride, b.stride, c.stride, add, a.data,
                              b.data, c.data);
}

}  // namespace scalelaw
