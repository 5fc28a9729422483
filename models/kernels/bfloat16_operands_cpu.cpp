#include <algorithm>

#include "models/kernels/bfloat16_operands.h"
#include "models/kernels/transpose.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

[[gnu::always_inline]] inline uint32_t rounded_bits(float x) {
  BFloat16 rounded{};
  round_to(x, rounded);
  return rounded.bits;
}

SCALELAW_VECTOR_CLONES
void pair_two_rows(int64_t columns, const BFloat16* __restrict even, const BFloat16* __restrict odd,
                   uint32_t* __restrict pairs) {
  for (int64_t j = 0; j < columns; ++j) {
    pairs[j] = static_cast<uint32_t>(even[j].bits) | static_cast<uint32_t>(odd[j].bits) << 16;
  }
}

SCALELAW_VECTOR_CLONES
void round_two_rows(int64_t columns, const float* __restrict even, const float* __restrict odd,
                    uint32_t* __restrict pairs) {
  for (int64_t j = 0; j < columns; ++j) {
    pairs[j] = rounded_bits(even[j]) | rounded_bits(odd[j]) << 16;
  }
}

// x [rows, columns] two rows at a time, [ceil(rows / 2), columns].
void pair_rows(int64_t rows, int64_t columns, ConstBFloat16Matrix x, uint32_t* pairs,
               int64_t stride) {
  for (int64_t row = 0; row + 1 < rows; row += 2, pairs += stride) {
    const BFloat16* even = x.data + row * x.stride;
    pair_two_rows(columns, even, even + x.stride, pairs);
  }
  if (rows % 2 == 0) return;
  const BFloat16* last = x.data + (rows - 1) * x.stride;
  for (int64_t j = 0; j < columns; ++j) pairs[j] = last[j].bits;
}

void pair_rows(int64_t rows, int64_t columns, ConstMatrix x, uint32_t* pairs, int64_t stride) {
  for (int64_t row = 0; row + 1 < rows; row += 2, pairs += stride) {
    const float* even = x.data + row * x.stride;
    round_two_rows(columns, even, even + x.stride, pairs);
  }
  if (rows % 2 == 0) return;
  const float* last = x.data + (rows - 1) * x.stride;
  for (int64_t j = 0; j < columns; ++j) pairs[j] = rounded_bits(last[j]);
}

// The 32-bit transpose moves bits, whatever they mean.
void transpose_pairs(int64_t rows, int64_t columns, const void* from, int64_t from_stride,
                     uint32_t* to, int64_t to_stride) {
  transpose(rows, columns, {static_cast<const float*>(from), from_stride},
            {reinterpret_cast<float*>(to), to_stride});
}

std::unique_ptr<uint32_t[]> room(int64_t count) {
  return std::make_unique_for_overwrite<uint32_t[]>(static_cast<size_t>(count));
}

}  // namespace

SCALELAW_VECTOR_CLONES
void to_bfloat16(int64_t count, const float* __restrict x, BFloat16* __restrict y) {
  for (int64_t i = 0; i < count; ++i) round_to(x[i], y[i]);
}

SCALELAW_VECTOR_CLONES
void from_bfloat16(int64_t count, const BFloat16* __restrict x, float* __restrict y) {
  for (int64_t i = 0; i < count; ++i) y[i] = as_float(x[i]);
}

BFloat16Rows::BFloat16Rows(int64_t rows, int64_t columns, ConstMatrix x)
    : stride_(columns + columns % 2),
      data_(std::make_unique_for_overwrite<BFloat16[]>(static_cast<size_t>(rows * stride_))) {
  for (int64_t row = 0; row < rows; ++row) {
    BFloat16* to = data_.get() + row * stride_;
    to_bfloat16(columns, x.data + row * x.stride, to);
    if (columns < stride_) to[columns] = {};
  }
}

PairedRows::PairedRows(int64_t rows, int64_t columns, int64_t panel_columns)
    : pairs_((rows + 1) / 2),
      panel_columns_(std::min(panel_columns, columns)),
      data_(room((columns + panel_columns_ - 1) / panel_columns_ * panel_columns_ * pairs_)) {}

PairedRows::PairedRows(int64_t rows, int64_t columns, ConstBFloat16Matrix x)
    : PairedRows(rows, columns, kPanelColumns) {
  for (int64_t j = 0; j < columns; j += panel_columns_) {
    pair_rows(rows, std::min(panel_columns_, columns - j),
              ConstBFloat16Matrix{x.data + j, x.stride}, panel(j), panel_columns_);
  }
}

PairedRows::PairedRows(int64_t rows, int64_t columns, ConstMatrix x)
    : PairedRows(rows, columns, kPanelColumns) {
  for (int64_t j = 0; j < columns; j += panel_columns_) {
    pair_rows(rows, std::min(panel_columns_, columns - j), ConstMatrix{x.data + j, x.stride},
              panel(j), panel_columns_);
  }
}

PairedRows PairedRows::of_transposed(int64_t rows, int64_t columns,
                                     ConstBFloat16Matrix x_transposed, int64_t panel_columns) {
  PairedRows result(rows, columns, panel_columns);
  const int64_t width = result.panel_columns_;
  for (int64_t j = 0; j < columns; j += width) {
    transpose_pairs(std::min(width, columns - j), result.pairs_,
                    x_transposed.data + j * x_transposed.stride, x_transposed.stride / 2,
                    result.panel(j), width);
  }
  return result;
}

ConstPairedMatrix PairedRows::from(int64_t row, int64_t column) const {
  const uint32_t* first = data_.get() + column * pairs_ + row / 2 * panel_columns_;
  return {reinterpret_cast<const BFloat16*>(first), panel_columns_, 2 * pairs_ * panel_columns_};
}

TransposedRows::TransposedRows(int64_t rows, int64_t columns, ConstBFloat16Matrix x)
    : pairs_((rows + 1) / 2), data_(room(pairs_ * columns)) {
  const auto paired = room(pairs_ * columns);
  pair_rows(rows, columns, x, paired.get(), columns);
  transpose_pairs(pairs_, columns, paired.get(), columns, data_.get(), pairs_);
}

ConstBFloat16Matrix TransposedRows::from_column(int64_t column) const {
  return {reinterpret_cast<const BFloat16*>(data_.get()) + column, 2 * pairs_};
}

}  // namespace scalelaw
