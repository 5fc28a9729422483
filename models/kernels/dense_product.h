// Row-major products on one thread, summed in float32: LibTorch's micro-kernels instead of its
// BLAS, which they beat about twofold at the sizes of small models
// (tests/models/product_benchmark.cpp).
#pragma once

#include <cstdint>

#include "models/kernels/bfloat16_operands.h"
#include "models/kernels/matrix.h"

namespace scalelaw {

// c = a b, or c += a b; a [rows, depth], b [depth, columns], c [rows, columns].
void dense_product(int64_t rows, int64_t columns, int64_t depth, ConstMatrix a, ConstMatrix b,
                   Matrix c, bool add);

// Whether this CPU multiplies in bf16; without, the product below must not be called.
bool has_bfloat16_products();
// The same in bf16, the products exact, their sum in float32. An odd depth is rounded up, to the
// zeros that a and b then have there.
void dense_product(int64_t rows, int64_t columns, int64_t depth, ConstBFloat16Matrix a,
                   ConstPairedMatrix b, Matrix c, bool add);

}  // namespace scalelaw
