#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <exception>
#include <memory>

#include "models/kernels/dense_product.h"

namespace scalelaw {
namespace {

// Micro-kernels walk down b's rows for every few rows of a. Where b outgrows the second-level
// cache, or its rows lie whole pages apart and evict each other, that costs up to two thirds of
// the speed; a copy of b in panels of dense rows costs one pass over b and pays from kManyRows on.
constexpr int64_t kManyRows = 128;
constexpr int64_t kManyElements = 262144;  // of b: 1 MiB
constexpr int64_t kManyElementsPagesApart = 65536;
constexpr int64_t kPage = 1024;  // elements
constexpr int64_t kDeep = 64;
constexpr int64_t kPanelElements = 65536;
constexpr int64_t kPanelDepth = 512;
constexpr int64_t kPanelColumns = 256;
constexpr int64_t kColumnMultiple = 64;  // whole vectors of every instruction set

// brgemm is LibTorch's own wrapper of oneDNN's micro-kernels; where the CPU or the build has none
// it calls the BLAS itself. It is not a public API: this file is the only one that knows of it.
void micro_kernels(int64_t rows, int64_t columns, int64_t depth, ConstMatrix a, ConstMatrix b,
                   Matrix c, bool add) {
  at::native::cpublas::brgemm(rows, columns, depth, a.stride, b.stride, c.stride, add, a.data,
                              b.data, c.data);
}

// Not the CPU alone decides: oneDNN may be told to do without, and then refuses.
bool can_multiply_bfloat16() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16") == 0) return false;
#else
  return false;
#endif
  const at::BFloat16 ones[4] = {1.0f, 1.0f, 1.0f, 1.0f};
  float product[4] = {};
  try {
    at::native::cpublas::brgemm(2, 2, 2, 2, 2, 2, /*add_C=*/false, ones, ones, product,
                                /*is_vnni=*/true);
  } catch (const std::exception&) {
    return false;
  }
  return product[0] == 2.0f;
}

void product_by_panels(int64_t rows, int64_t columns, int64_t depth, ConstMatrix a, ConstMatrix b,
                       Matrix c, bool add) {
  const int64_t deepest = std::min(depth, kPanelDepth);
  const int64_t widest =
      std::min(kPanelColumns, kPanelElements / deepest / kColumnMultiple * kColumnMultiple);
  const auto panel = std::make_unique_for_overwrite<float[]>(deepest * widest);
  for (int64_t k = 0; k < depth; k += deepest) {
    const int64_t deep = std::min(deepest, depth - k);
    for (int64_t j = 0; j < columns; j += widest) {
      const int64_t wide = std::min(widest, columns - j);
      for (int64_t i = 0; i < deep; ++i) {
        std::copy_n(b.data + (k + i) * b.stride + j, wide, panel.get() + i * wide);
      }
      micro_kernels(rows, wide, deep, {a.data + k, a.stride}, {panel.get(), wide},
                    {c.data + j, c.stride}, add || k > 0);
    }
  }
}

}  // namespace

void dense_product(int64_t rows, int64_t columns, int64_t depth, ConstMatrix a, ConstMatrix b,
                   Matrix c, bool add) {
  const int64_t many = b.stride % kPage == 0 ? kManyElementsPagesApart : kManyElements;
  const bool panels_pay = rows >= kManyRows && depth >= kDeep && depth * columns >= many;
  (panels_pay ? product_by_panels : micro_kernels)(rows, columns, depth, a, b, c, add);
}

bool has_bfloat16_products() {
  static const bool has = can_multiply_bfloat16();
  return has;
}

void dense_product(int64_t rows, int64_t columns, int64_t depth, ConstBFloat16Matrix a,
                   ConstPairedMatrix b, Matrix c, bool add) {
  const auto* a_data = reinterpret_cast<const at::BFloat16*>(a.data);
  const auto* panel = reinterpret_cast<const at::BFloat16*>(b.data);
  for (int64_t j = 0; j < columns; j += b.panel_columns, panel += b.panel_stride) {
    at::native::cpublas::brgemm(rows, std::min(b.panel_columns, columns - j), depth + depth % 2,
                                a.stride, b.panel_columns, c.stride, add, a_data, panel, c.data + j,
                                /*is_vnni=*/true);
  }
  at::native::cpublas::brgemm_release();  // of tiles, where the CPU has them
}

}  // namespace scalelaw
