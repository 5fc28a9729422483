// Row-major float32 products on one thread: LibTorch's micro-kernels instead of its BLAS, which
// they beat about twofold at the sizes of small models (tests/models/product_benchmark.cpp).
#pragma once

#include <cstdint>

namespace scalelaw {

// A matrix by its first element and the distance between its rows.
struct ConstMatrix {
  const float* data;
  int64_t stride;
};
struct Matrix {
  float* data;
  int64_t stride;
};

// c = a b, or c += a b; a [rows, depth], b [depth, columns], c [rows, columns].
void dense_product(int64_t rows, int64_t columns, int64_t depth, ConstMatrix a, ConstMatrix b,
                   Matrix c, bool add);

}  // namespace scalelaw
