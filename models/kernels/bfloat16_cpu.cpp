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

// Pairs of columns first to first + count of x [rows, columns], [ceil(rows / 2), count].
void pair_rows(int64_t rows, ConstBfloat16Matrix x, int64_t first, int64_t count, uint32_t* pairs) {
  for (int64_t row = 0; row + 1 < rows; row += 2, pairs += count) {
    const uint16_t* even = x.data + row * x.stride + first;
    pair_two_rows(count, even, even + x.stride, pairs);
  }
  if (rows % 2 != 0) std::copy_n(x.data + (rows - 1) * x.stride + first, count, pairs);
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

PairedRows::PairedRows(int64_t columns, int64_t depth)
    : pairs_((depth + 1) / 2), columns_(columns), data_(room(pairs_ * columns)) {}

PairedRows::PairedRows(int64_t depth, ConstBfloat16Matrix b, int64_t columns)
    : PairedRows(columns, depth) {
  for (int64_t j = 0; j < columns; j += kPanelColumns) {
    pair_rows(depth, b, j, std::min(kPanelColumns, columns - j), data_.get() + j * pairs_);
  }
}

PairedRows PairedRows::of_transposed(int64_t columns, int64_t depth,
                                     ConstBfloat16Matrix b_transposed) {
  PairedRows result(columns, depth);
  for (int64_t j = 0; j < columns; j += kPanelColumns) {
    const int64_t wide = std::min(kPanelColumns, columns - j);
    transpose_pairs(wide, result.pairs_, b_transposed.data + j * b_transposed.stride,
                    b_transposed.stride / 2, result.data_.get() + j * result.pairs_, wide);
  }
  return result;
}

const uint16_t* PairedRows::panel(int64_t column) const {
  return reinterpret_cast<const uint16_t*>(data_.get() + column * pairs_);
}

TransposedRows::TransposedRows(int64_t rows, int64_t columns, ConstBfloat16Matrix x)
    : pairs_((rows + 1) / 2), data_(room(pairs_ * columns)) {
  const auto paired = room(pairs_ * columns);
  pair_rows(rows, x, 0, columns, paired.get());
  transpose_pairs(pairs_, columns, paired.get(), columns, data_.get(), pairs_);
}

ConstBfloat16Matrix TransposedRows::matrix() const {
  return {reinterpret_cast<const uint16_t*>(data_.get()), 2 * pairs_};
}

}  // namespace scalelaw
