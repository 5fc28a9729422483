#include <algorithm>
#include <cstring>

#include "models/kernels/bfloat16.h"
#include "models/kernels/transpose.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

[[gnu::always_inline]] inline uint16_t rounded(float x) {
  uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof(bits));
  const uint32_t nearest = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  // Rounding could carry a NaN's last bits into infinity.
  const uint32_t quiet_nan = bits >> 16 | 0x40u;
  return static_cast<uint16_t>((bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet_nan : nearest);
}

[[gnu::always_inline]] inline float widened(uint16_t x) {
  const uint32_t bits = static_cast<uint32_t>(x) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

SCALELAW_VECTOR_CLONES
void pair_two_rows(int64_t columns, const uint16_t* __restrict even, const uint16_t* __restrict odd,
                   uint32_t* __restrict pairs) {
  for (int64_t j = 0; j < columns; ++j) {
    pairs[j] = static_cast<uint32_t>(even[j]) | static_cast<uint32_t>(odd[j]) << 16;
  }
}

SCALELAW_VECTOR_CLONES
void round_two_rows(int64_t columns, const float* __restrict even, const float* __restrict odd,
                    uint32_t* __restrict pairs) {
  for (int64_t j = 0; j < columns; ++j) {
    pairs[j] = static_cast<uint32_t>(rounded(even[j])) | static_cast<uint32_t>(rounded(odd[j]))
                                                             << 16;
  }
}

// x [rows, columns] two rows at a time, [ceil(rows / 2), columns].
void pair_rows(int64_t rows, int64_t columns, ConstBfloat16Matrix x, uint32_t* pairs,
               int64_t stride) {
  for (int64_t row = 0; row + 1 < rows; row += 2, pairs += stride) {
    const uint16_t* even = x.data + row * x.stride;
    pair_two_rows(columns, even, even + x.stride, pairs);
  }
  if (rows % 2 != 0) std::copy_n(x.data + (rows - 1) * x.stride, columns, pairs);
}

void pair_rows(int64_t rows, int64_t columns, ConstMatrix x, uint32_t* pairs, int64_t stride) {
  for (int64_t row = 0; row + 1 < rows; row += 2, pairs += stride) {
    const float* even = x.data + row * x.stride;
    round_two_rows(columns, even, even + x.stride, pairs);
  }
  if (rows % 2 == 0) return;
  const float* last = x.data + (rows - 1) * x.stride;
  for (int64_t j = 0; j < columns; ++j) pairs[j] = rounded(last[j]);
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
void to_bfloat16(int64_t count, const float* __restrict x, uint16_t* __restrict y) {
  for (int64_t i = 0; i < count; ++i) y[i] = rounded(x[i]);
}

SCALELAW_VECTOR_CLONES
void from_bfloat16(int64_t count, const uint16_t* __restrict x, float* __restrict y) {
  for (int64_t i = 0; i < count; ++i) y[i] = widened(x[i]);
}

Bfloat16Rows::Bfloat16Rows(int64_t rows, int64_t columns, ConstMatrix x)
    : stride_(columns + columns % 2),
      data_(std::make_unique_for_overwrite<uint16_t[]>(static_cast<size_t>(rows * stride_))) {
  for (int64_t row = 0; row < rows; ++row) {
    uint16_t* to = data_.get() + row * stride_;
    to_bfloat16(columns, x.data + row * x.stride, to);
    if (columns < stride_) to[columns] = 0;
  }
}

PairedRows::PairedRows(int64_t rows, int64_t columns, int64_t panel_columns)
    : pairs_((rows + 1) / 2),
      panel_columns_(std::min(panel_columns, columns)),
      data_(room((columns + panel_columns_ - 1) / panel_columns_ * panel_columns_ * pairs_)) {}

PairedRows::PairedRows(int64_t rows, int64_t columns, ConstBfloat16Matrix x)
    : PairedRows(rows, columns, kPanelColumns) {
  for (int64_t j = 0; j < columns; j += panel_columns_) {
    pair_rows(rows, std::min(panel_columns_, columns - j),
              ConstBfloat16Matrix{x.data + j, x.stride}, panel(j), panel_columns_);
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
                                     ConstBfloat16Matrix x_transposed, int64_t panel_columns) {
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
  return {reinterpret_cast<const uint16_t*>(first), panel_columns_, 2 * pairs_ * panel_columns_};
}

TransposedRows::TransposedRows(int64_t rows, int64_t columns, ConstBfloat16Matrix x)
    : pairs_((rows + 1) / 2), data_(room(pairs_ * columns)) {
  const auto paired = room(pairs_ * columns);
  pair_rows(rows, columns, x, paired.get(), columns);
  transpose_pairs(pairs_, columns, paired.get(), columns, data_.get(), pairs_);
}

ConstBfloat16Matrix TransposedRows::from_column(int64_t column) const {
  return {reinterpret_cast<const uint16_t*>(data_.get()) + column, 2 * pairs_};
}

}  // namespace scalelaw
