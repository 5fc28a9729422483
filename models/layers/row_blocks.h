// Rows shared among threads in blocks of a fixed size, so that sums over rows come out the same
// however many threads there are.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <cstdint>
#include <vector>

namespace scalelaw {

// Whether the row kernels of models/kernels/ can work on x: dense float32 on the CPU.
bool has_row_kernels(const at::Tensor& x);

// Enough for a task of at::parallel_for that visits rows: fewer cost more to hand out than to do.
inline constexpr int64_t kElementsPerTask = 1 << 14;

// visit(first row, rows, sums) sees every block once, in any order, and adds its rows' columns to
// sums [n_columns], zero at first. Returns the blocks' sums added in order.
std::vector<float> sum_row_blocks(
    int64_t rows, int64_t n_columns,
    c10::function_ref<void(int64_t first, int64_t rows, float* sums)> visit);

// Replica r's vector of a parameter or a gradient [R, n], its elements dense; null of an undefined
// tensor.
const float* replica_vector(const at::Tensor& parameter, int64_t r);
// That vector += sums [n].
void add_to_replica(const at::Tensor& gradient, int64_t r, const float* sums);

}  // namespace scalelaw
