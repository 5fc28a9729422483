#include "models/kernels/transpose.h"

#include <cstring>

#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

constexpr int64_t kBlock = 8;
using Vector [[gnu::vector_size(32)]] = float;

[[gnu::always_inline]] inline void load(const float* from, Vector* to) {
  std::memcpy(to, from, sizeof(Vector));
}

// Three rounds of pairwise shuffles: elements, then pairs, then halves change places.
[[gnu::always_inline]] inline void transpose_block(const float* from, int64_t from_stride,
                                                   float* to, int64_t to_stride, bool add) {
  Vector r[kBlock], t[kBlock], u[kBlock];
  for (int i = 0; i < kBlock; ++i) load(from + i * from_stride, &r[i]);
  for (int i = 0; i < kBlock; i += 2) {
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < kBlock; i += 4) {
    u[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    u[i + 1] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    u[i + 2] = __builtin_shufflevector(t[i + 1], t[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    u[i + 3] = __builtin_shufflevector(t[i + 1], t[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < kBlock / 2; ++i) {
    r[i] = __builtin_shufflevector(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
  for (int i = 0; i < kBlock; ++i) {
    float* target = to + i * to_stride;
    if (add) {
      load(target, &t[i]);
      r[i] += t[i];
    }
    std::memcpy(target, &r[i], sizeof(Vector));
  }
}

[[gnu::always_inline]] inline void visit(int64_t rows, int64_t columns, ConstMatrix from, Matrix to,
                                         bool add) {
  const int64_t whole_rows = rows / kBlock * kBlock, whole_columns = columns / kBlock * kBlock;
  for (int64_t i = 0; i < whole_rows; i += kBlock) {
    for (int64_t j = 0; j < whole_columns; j += kBlock) {
      transpose_block(from.data + i * from.stride + j, from.stride, to.data + j * to.stride + i,
                      to.stride, add);
    }
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j) {
      float& target = to.data[j * to.stride + i];
      const float value = from.data[i * from.stride + j];
      target = add ? target + value : value;
    }
  }
}

}  // namespace

SCALELAW_VECTOR_CLONES
void transpose(int64_t rows, int64_t columns, ConstMatrix from, Matrix to) {
  visit(rows, columns, from, to, /*add=*/false);
}

SCALELAW_VECTOR_CLONES
void add_transpose(int64_t rows, int64_t columns, ConstMatrix from, Matrix to) {
  visit(rows, columns, from, to, /*add=*/true);
}

}  // namespace scalelaw
