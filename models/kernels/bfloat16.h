// bf16 as the upper half of a float, on every device the same.
#pragma once

#include <cstdint>
#include <cstring>

#include "models/kernels/host_device.h"

namespace scalelaw {

struct BFloat16 {
  uint16_t bits;
};

SCALELAW_HOST_DEVICE float as_float(float x) {
  return x;
}
SCALELAW_HOST_DEVICE float as_float(BFloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// To the nearest, ties to even; NaN stays NaN.
SCALELAW_HOST_DEVICE void round_to(float value, float& result) {
  result = value;
}
SCALELAW_HOST_DEVICE void round_to(float value, BFloat16& result) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  result.bits = static_cast<uint16_t>(is_nan ? 0x7fc0u : rounded);
}

}  // namespace scalelaw
