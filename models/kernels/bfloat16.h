// bf16 on a CPU: float32 and back, and operands as products in bf16 read them. A bf16 is the upper
// half of a float32's bits.
#pragma once

#include <cstdint>
#include <memory>

namespace scalelaw {

// To the nearest, ties to even; NaN stays NaN.
void to_bfloat16(int64_t count, const float* x, uint16_t* y);
void from_bfloat16(int64_t count, const uint16_t* x, float* y);

// A matrix of bf16 by its first element and the distance between its rows.
struct ConstBfloat16Matrix {
  const uint16_t* data;
  int64_t stride;
};

// The second operand of a product in bf16, [depth, columns]: in panels of kPanelColumns, in a panel
// two rows side by side, [ceil(depth / 2), panel's columns, 2]. An odd last row has zeros beside
// it.
class PairedRows {
 public:
  static constexpr int64_t kPanelColumns = 64;

  PairedRows(int64_t depth, ConstBfloat16Matrix b, int64_t columns);  // b [depth, columns]
  // b^T [columns, depth], depth and its stride even.
  static PairedRows of_transposed(int64_t columns, int64_t depth, ConstBfloat16Matrix b_transposed);

  int64_t even_depth() const { return 2 * pairs_; }
  int64_t columns() const { return columns_; }
  // The panel that begins at `column`, a multiple of kPanelColumns.
  const uint16_t* panel(int64_t column) const;

 private:
  PairedRows(int64_t columns, int64_t depth);

  int64_t pairs_, columns_;
  std::unique_ptr<uint32_t[]> data_;
};

// x [rows, columns] transposed, [columns, rows], rows made even by zeros.
class TransposedRows {
 public:
  TransposedRows(int64_t rows, int64_t columns, ConstBfloat16Matrix x);
  ConstBfloat16Matrix matrix() const;

 private:
  int64_t pairs_;
  std::unique_ptr<uint32_t[]> data_;
};

}  // namespace scalelaw
