// bf16 on a CPU: float32 and back, and operands as products in bf16 read them.
#pragma once

#include <cstdint>
#include <memory>

#include "models/kernels/bfloat16.h"
#include "models/kernels/matrix.h"

namespace scalelaw {

// To the nearest, ties to even; NaN stays NaN.
void to_bfloat16(int64_t count, const float* x, BFloat16* y);
void from_bfloat16(int64_t count, const BFloat16* x, float* y);

// A matrix of bf16 by its first element and the distance between its rows.
struct ConstBFloat16Matrix {
  const BFloat16* data;
  int64_t stride;
};

// Rows [row, ...) and columns [column, ...) of PairedRows.
struct ConstPairedMatrix {
  const BFloat16* data;
  int64_t panel_columns, panel_stride;  // stride in elements
};

// x [rows, columns] in bf16, its rows dense, columns made even by zeros.
class BFloat16Rows {
 public:
  BFloat16Rows(int64_t rows, int64_t columns, ConstMatrix x);
  ConstBFloat16Matrix from(int64_t row, int64_t column = 0) const {
    return {data_.get() + row * stride_ + column, stride_};
  }

 private:
  int64_t stride_;
  std::unique_ptr<BFloat16[]> data_;
};

// The second operand of a product in bf16, [rows, columns]: in panels of columns, in a panel two
// rows side by side, [ceil(rows / 2), panel_columns, 2]. An odd last row has zeros beside it.
class PairedRows {
 public:
  static constexpr int64_t kPanelColumns = 64;

  PairedRows(int64_t rows, int64_t columns, ConstBFloat16Matrix x);
  PairedRows(int64_t rows, int64_t columns, ConstMatrix x);
  // x_transposed [columns, rows], its stride even; behind an odd last row it holds zeros.
  static PairedRows of_transposed(int64_t rows, int64_t columns, ConstBFloat16Matrix x_transposed,
                                  int64_t panel_columns = kPanelColumns);

  // row even, column a multiple of panel_columns.
  ConstPairedMatrix from(int64_t row, int64_t column = 0) const;

 private:
  PairedRows(int64_t rows, int64_t columns, int64_t panel_columns);
  uint32_t* panel(int64_t column) { return data_.get() + column * pairs_; }

  int64_t pairs_, panel_columns_;
  std::unique_ptr<uint32_t[]> data_;
};

// x [rows, columns] transposed, [columns, rows], rows made even by zeros.
class TransposedRows {
 public:
  TransposedRows(int64_t rows, int64_t columns, ConstBFloat16Matrix x);
  ConstBFloat16Matrix from_column(int64_t column) const;

 private:
  int64_t pairs_;
  std::unique_ptr<uint32_t[]> data_;
};

}  // namespace scalelaw
