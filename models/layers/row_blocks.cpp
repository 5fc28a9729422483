#include "models/layers/row_blocks.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "models/gradient_watch.h"
#include "models/kernels/column_sum.h"

namespace scalelaw {
namespace {

constexpr int64_t kRows = 64;  // of a block: short sums round little

}  // namespace

bool has_row_kernels(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.is_contiguous();
}

std::vector<float> sum_row_blocks(
    int64_t rows, int64_t n_columns,
    c10::function_ref<void(int64_t first, int64_t rows, float* sums)> visit) {
  const int64_t blocks = (rows + kRows - 1) / kRows;
  std::vector<float> sums(static_cast<size_t>(blocks * n_columns));
  at::parallel_for(0, blocks, /*grain_size=*/1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kRows;
      visit(first, std::min(kRows, rows - first), sums.data() + block * n_columns);
    }
  });
  std::vector<float> total(static_cast<size_t>(n_columns));
  add_column_sums(blocks, n_columns, sums.data(), total.data());
  return total;
}

const float* replica_vector(const at::Tensor& parameter, int64_t r) {
  return parameter.defined() ? parameter.const_data_ptr<float>() + r * parameter.stride(0)
                             : nullptr;
}

void add_to_replica(const at::Tensor& gradient, int64_t r, const float* sums) {
  add_column_sums(1, gradient.size(1), sums,
                  gradient.mutable_data_ptr<float>() + r * gradient.stride(0));
  gradient_written(gradient);
}

}  // namespace scalelaw
