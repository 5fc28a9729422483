#include "models/layers/product.h"

#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <vector>

#include "models/gradient_watch.h"
#include "models/kernels/column_sum.h"
#include "models/kernels/dense_product.h"
#include "models/kernels/transpose.h"
#include "models/layers/cast.h"
#include "models/layers/device_launch.h"
#include "models/layers/product_bfloat16.h"
#include "models/layers/row_blocks.h"

namespace scalelaw {
namespace {

// Rows of the summed dimension that are transposed at a time: they stay in the second-level cache.
constexpr int64_t kDepthBlock = 256;
constexpr int64_t kRowGrain = 64;
// Rows of a result that get their bias and then their product while they are in the cache, where
// the second operand is small enough to be read again for each so many.
constexpr int64_t kRowsWithBias = 64;
constexpr int64_t kReadAgain = 1 << 17;  // elements
constexpr int64_t kPage = 1024;          // elements

bool has_kernel(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat;
}

bool rows_are_dense(const at::Tensor& x) {
  return x.stride(2) == 1 || x.size(2) == 1;
}

bool has_bfloat16_kernel(const at::Tensor& x) {
  static const bool available = has_bfloat16_products();
  return available && product_type(x) != x.scalar_type() && rows_are_dense(x);
}

// A stride that the kernels accept also where a dimension of size 1 carries any.
int64_t row_stride(const at::Tensor& x) {
  return std::max(x.stride(1), x.size(2));
}

ConstMatrix matrix(const at::Tensor& x, int64_t replica, int64_t row = 0) {
  return {x.const_data_ptr<float>() + replica * x.stride(0) + row * row_stride(x), row_stride(x)};
}

Matrix mutable_matrix(const at::Tensor& x, int64_t replica, int64_t row = 0) {
  return {x.mutable_data_ptr<float>() + replica * x.stride(0) + row * row_stride(x), row_stride(x)};
}

// x (R, K, N) with dense rows; a transposed view is copied.
at::Tensor with_dense_rows(const at::Tensor& x) {
  if (rows_are_dense(x)) return x;
  const at::Tensor source = x.transpose(1, 2);  // (R, N, K)
  if (!rows_are_dense(source)) return x.contiguous();
  at::Tensor result = at::empty(x.sizes(), x.options());
  for (int64_t r = 0; r < x.size(0); ++r) {
    transpose(source.size(1), source.size(2), matrix(source, r), mutable_matrix(result, r));
  }
  return result;
}

void multiply(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out, bool add) {
  if (out.numel() == 0) return;
  const at::Tensor a_rows = with_dense_rows(a), b_rows = with_dense_rows(b);
  const int64_t rows = a.size(1);
  for (int64_t r = 0; r < a.size(0); ++r) {
    at::parallel_for(0, rows, kRowGrain, [&](int64_t begin, int64_t end) {
      dense_product(end - begin, b.size(2), a.size(2), matrix(a_rows, r, begin), matrix(b_rows, r),
                    mutable_matrix(out, r, begin), add);
    });
  }
}

void multiply_plus_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias,
                        const at::Tensor& out) {
  const at::Tensor a_rows = with_dense_rows(a), b_rows = with_dense_rows(b);
  const int64_t columns = b.size(2), depth = a.size(2);
  // Rows a page apart evict each other: those are copied, once.
  const bool reads_again = depth * columns <= kReadAgain && row_stride(b_rows) % kPage != 0;
  for (int64_t r = 0; r < a.size(0); ++r) {
    const float* of_replica = replica_vector(bias, r);
    at::parallel_for(0, a.size(1), kRowGrain, [&](int64_t begin, int64_t end) {
      const int64_t at_once = reads_again ? kRowsWithBias : end - begin;
      for (int64_t first = begin; first < end; first += at_once) {
        const int64_t count = std::min(at_once, end - first);
        const Matrix result = mutable_matrix(out, r, first);
        for (int64_t i = 0; i < count; ++i) {
          std::copy_n(of_replica, columns, result.data + i * result.stride);
        }
        dense_product(count, columns, depth, matrix(a_rows, r, first), matrix(b_rows, r), result,
                      /*add=*/true);
      }
    });
  }
}

using Multiply = void (*)(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out,
                          bool add);
// The kernel of products whose first operand is a; null: ATen's.
Multiply kernel_for(const at::Tensor& a) {
  if (has_kernel(a)) return multiply;
  return has_bfloat16_kernel(a) ? bfloat16::multiply : nullptr;
}

at::Tensor room_for_product(const at::Tensor& a, const at::Tensor& b) {
  return at::empty({a.size(0), a.size(1), b.size(2)}, a.options().dtype(product_type(a)));
}

// out [K, N] += a^T b for one replica: a's blocks are transposed.
void add_by_transposing_a(const at::Tensor& a, const at::Tensor& b, int64_t replica, Matrix out) {
  const int64_t depth = a.size(1), rows = a.size(2), columns = b.size(2);
  at::parallel_for(0, rows, kRowGrain, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    std::vector<float> block(static_cast<size_t>(count * kDepthBlock));
    for (int64_t m = 0; m < depth; m += kDepthBlock) {
      const int64_t deep = std::min(kDepthBlock, depth - m);
      ConstMatrix source = matrix(a, replica, m);
      source.data += begin;
      transpose(deep, count, source, {block.data(), kDepthBlock});
      dense_product(count, columns, deep, {block.data(), kDepthBlock}, matrix(b, replica, m),
                    {out.data + begin * out.stride, out.stride}, /*add=*/true);
    }
  });
}

// The narrower operand is the one to transpose; with b that gives the transposed result.
void add_transposed_product_on_cpu(const at::Tensor& a, const at::Tensor& b,
                                   const at::Tensor& sum) {
  const int64_t rows = a.size(2), columns = b.size(2);
  const at::Tensor a_rows = with_dense_rows(a), b_rows = with_dense_rows(b);
  std::vector<float> turned;
  for (int64_t r = 0; r < a.size(0); ++r) {
    if (rows <= columns) {
      add_by_transposing_a(a_rows, b_rows, r, mutable_matrix(sum, r));
      continue;
    }
    turned.assign(static_cast<size_t>(rows * columns), 0.0f);
    add_by_transposing_a(b_rows, a_rows, r, {turned.data(), rows});
    add_transpose(columns, rows, {turned.data(), rows}, mutable_matrix(sum, r));
  }
}

}  // namespace

at::ScalarType product_type(const at::Tensor& operand) {
  const bool on_cpu = operand.is_cpu() && kernels_for(operand) == nullptr;
  return on_cpu && operand.scalar_type() == at::kBFloat16 ? at::kFloat : operand.scalar_type();
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  if (const auto multiply = kernel_for(a)) {
    at::Tensor out = room_for_product(a, b);
    multiply(a, b, out, /*add=*/false);
    return out;
  }
  if (a.size(0) != 1) return cast(at::bmm(a, b), product_type(a));
  // Into room of its own: a view must not be the result of a Function whose reader works in place.
  at::Tensor out = at::empty({1, a.size(1), b.size(2)}, a.options());
  product_into(a, b, out);
  return cast(out, product_type(a));
}

void product_into(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out) {
  if (a.size(0) == 1) {
    at::Tensor only = out.select(0, 0);
    at::mm_out(only, a.select(0, 0), b.select(0, 0));
  } else {
    at::Tensor all = out;
    at::bmm_out(all, a, b);
  }
}

at::Tensor product_plus_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias) {
  if (!bias.defined()) return product(a, b);
  if (has_kernel(a)) {
    at::Tensor out = room_for_product(a, b);
    multiply_plus_bias(a, b, bias, out);
    return out;
  }
  if (const auto multiply = kernel_for(a)) {
    at::Tensor out = room_for_product(a, b);
    out.copy_(bias.unsqueeze(1));
    multiply(a, b, out, /*add=*/true);
    return out;
  }
  if (product_type(a) != a.scalar_type()) return product(a, b).add_(bias.unsqueeze(1));
  if (a.size(0) != 1) return at::baddbmm(bias.unsqueeze(1), a, b);
  at::Tensor out = at::empty({1, a.size(1), b.size(2)}, a.options());
  at::Tensor only = out.select(0, 0);
  at::addmm_out(only, bias.select(0, 0), a.select(0, 0), b.select(0, 0));
  return out;
}

void add_transposed_product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sum) {
  const at::Tensor a_transposed = a.transpose(1, 2);
  if (has_kernel(a) && has_kernel(sum)) {
    add_transposed_product_on_cpu(a, b, sum);
  } else if (has_bfloat16_kernel(a) && sum.scalar_type() == at::kFloat) {
    bfloat16::add_transposed_product(a, b, sum);
  } else if (a.scalar_type() != sum.scalar_type()) {
    sum.add_(product(a_transposed, b));
  } else if (a.size(0) == 1) {
    sum.select(0, 0).addmm_(a_transposed.select(0, 0), b.select(0, 0));
  } else {
    sum.baddbmm_(a_transposed, b);
  }
  gradient_written(sum);
}

void add_row_sum(const at::Tensor& a, const at::Tensor& sum) {
  if (const DeviceKernels* kernels = kernels_for(a);
      kernels != nullptr && a.is_contiguous() && sum.scalar_type() == at::kFloat) {
    launch(kernels->column_sum,
           {.x = elements(a),
            .sum = replica_rows(sum),
            .partial_sums = floats(room_for_row_sums(a, a.size(2))),
            .replicas = a.size(0),
            .rows = a.size(1),
            .width = a.size(2),
            .type = element_type(a)},
           a.device());
    gradient_written(sum);
    return;
  }
  if (has_kernel(a) && has_kernel(sum) && a.is_contiguous()) {
    const int64_t rows = a.size(1), columns = a.size(2);
    for (int64_t r = 0; r < a.size(0); ++r) {
      const auto* from = a.const_data_ptr<float>() + r * rows * columns;
      const auto sums =
          sum_row_blocks(rows, columns, [&](int64_t first, int64_t count, float* block_sums) {
            add_column_sums(count, columns, from + first * columns, block_sums);
          });
      add_to_replica(sum, r, sums.data());
    }
    return;
  }
  sum.add_(a.sum(1, /*keepdim=*/false, sum.scalar_type()));
  gradient_written(sum);
}

}  // namespace scalelaw
