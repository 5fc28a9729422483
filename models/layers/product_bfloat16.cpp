#include "models/layers/product_bfloat16.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>

#include <algorithm>
#include <vector>

#include "models/kernels/dense_product.h"
#include "models/kernels/transpose.h"

namespace scalelaw::bfloat16 {
namespace {

constexpr int64_t kRowGrain = 64;

ConstBFloat16Matrix matrix(const at::Tensor& x, int64_t replica) {
  const auto* data = static_cast<const BFloat16*>(x.const_data_ptr());
  return {data + replica * x.stride(0), std::max(x.stride(1), x.size(2))};
}

Matrix float_matrix(const at::Tensor& x, int64_t replica) {
  return {x.mutable_data_ptr<float>() + replica * x.stride(0), std::max(x.stride(1), x.size(2))};
}

bool rows_are_dense(const at::Tensor& x) {
  return x.stride(2) == 1 || x.size(2) == 1;
}

PairedRows paired(const at::Tensor& b, int64_t replica) {
  const int64_t depth = b.size(1), columns = b.size(2);
  const at::Tensor turned = b.transpose(1, 2);
  if (!rows_are_dense(b)) return PairedRows::of_transposed(depth, columns, matrix(turned, replica));
  return {depth, columns, matrix(b, replica)};
}

struct Sizes {
  int64_t rows, columns, depth;
};

void multiply_rows(const Sizes& sizes, ConstBFloat16Matrix a, const PairedRows& b, Matrix out,
                   bool add) {
  at::parallel_for(0, sizes.rows, kRowGrain, [&](int64_t begin, int64_t end) {
    dense_product(end - begin, sizes.columns, sizes.depth, {a.data + begin * a.stride, a.stride},
                  b.from(0), {out.data + begin * out.stride, out.stride}, add);
  });
}

}  // namespace

void multiply(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out, bool add) {
  if (out.numel() == 0) return;
  const at::Tensor turned = b.transpose(1, 2);
  const bool as_it_is = rows_are_dense(b) || (rows_are_dense(turned) && turned.size(2) % 2 == 0 &&
                                              turned.stride(1) % 2 == 0);
  const at::Tensor operand = as_it_is ? b : b.contiguous();
  const bool odd = a.size(2) % 2 != 0;
  const at::Tensor a_even = odd ? at::constant_pad_nd(a, {0, 1}) : a;
  for (int64_t r = 0; r < a.size(0); ++r) {
    multiply_rows({a.size(1), b.size(2), a.size(2)}, matrix(a_even, r), paired(operand, r),
                  float_matrix(out, r), add);
  }
}

// The narrower operand is the one to transpose; with b that gives the transposed result.
void add_transposed_product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sum) {
  const int64_t depth = a.size(1), rows = a.size(2), columns = b.size(2);
  for (int64_t r = 0; r < a.size(0); ++r) {
    if (rows <= columns) {
      const TransposedRows turned(depth, rows, matrix(a, r));
      multiply_rows({rows, columns, depth}, turned.from_column(0), {depth, columns, matrix(b, r)},
                    float_matrix(sum, r), /*add=*/true);
      continue;
    }
    const TransposedRows turned(depth, columns, matrix(b, r));
    std::vector<float> product(static_cast<size_t>(rows * columns));
    multiply_rows({columns, rows, depth}, turned.from_column(0), {depth, rows, matrix(a, r)},
                  {product.data(), rows}, /*add=*/false);
    add_transpose(columns, rows, {product.data(), rows}, float_matrix(sum, r));
  }
}

}  // namespace scalelaw::bfloat16
