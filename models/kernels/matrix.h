// Row-major matrices of float32 by their first element and the distance between their rows.
#pragma once

#include <cstdint>

namespace scalelaw {

struct ConstMatrix {
  const float* data;
  int64_t stride;
};
struct Matrix {
  float* data;
  int64_t stride;
};

}  // namespace scalelaw
