// What the arguments of a device's kernels are made of.
#pragma once

#include <cstdint>

namespace scalelaw {

enum class ElementType : int32_t { kFloat, kBFloat16 };

// A parameter or its gradient: dense rows of float32, the replicas' `stride` elements apart. data
// null: there is none.
struct DeviceRows {
  float* data;
  int64_t stride;
};

// Sums over rows are made in two steps, of parts of so many rows and then of the parts; a kernel
// that makes such sums is given room for the parts'.
inline constexpr int64_t kRowsPerPart = 32;
constexpr int64_t row_parts(int64_t rows) {
  return (rows + kRowsPerPart - 1) / kRowsPerPart;
}

}  // namespace scalelaw
