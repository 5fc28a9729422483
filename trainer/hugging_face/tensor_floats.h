// The numbers of a tensor in a file as float32.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/safetensors.h"

namespace scalelaw {

float from_bfloat16(uint16_t bits);
float from_float16(uint16_t bits);  // IEEE 754 binary16, subnormals, infinities and NaN included

// Whether floats() reads it: F32, BF16 or F16, all of whose values float32 has exactly.
bool has_floats(const SafetensorView& tensor);
std::vector<float> floats(const SafetensorView& tensor);

// [rows, columns] row by row -> [columns, rows]
std::vector<float> transposed(const std::vector<float>& values, int64_t rows, int64_t columns);

}  // namespace scalelaw
