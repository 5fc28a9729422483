// exp, sigmoid and tanh that the compiler turns into vector code inside a loop: no calls, no
// branches, no tables. NaN stays NaN. For kernel files only, which say SCALELAW_VECTOR_CLONES
// before a function to have it built for x86-64-v4, v3 and the baseline, chosen when the program
// starts.
#pragma once

#include <cstdint>
#include <cstring>

#include "models/kernels/host_device.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SCALELAW_VECTOR_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SCALELAW_VECTOR_CLONES
#endif

namespace scalelaw::vector_math {

// Relative error below 2e-7 on [-87, 88]; the ends' values (1.6e-38, 1.7e38) beyond. Range
// reduction to |r| <= ln(2)/2 with ln(2) in two parts, then Taylor to r^7 (remainder below 6e-9).
SCALELAW_HOST_DEVICE float exp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  // Added to 1.5 * 2^23 a float is rounded to a whole number, which stands in its last bits.
  constexpr float kShift = 12582912.0f;
  const float shifted = x * 1.44269504088896341f + kShift;
  const float whole = shifted - kShift;
  const float r = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t bits = 0;
  std::memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits - 0x4B400000u + 127u) << 23;  // 2^whole
  float power = 0;
  std::memcpy(&power, &bits, sizeof(power));
  return p * power;
}

SCALELAW_HOST_DEVICE float sigmoid(float x) {
  return 1.0f / (1.0f + exp(-x));
}

// Relative error below 5e-7: the odd rational of degree 13 over 6 that Eigen uses, 1 beyond 7.9.
SCALELAW_HOST_DEVICE float tanh(float x) {
  x = x < -7.90531110763549805f ? -7.90531110763549805f : x;
  x = x > 7.90531110763549805f ? 7.90531110763549805f : x;
  const float s = x * x;
  float p = -2.76076847742355e-16f;
  p = p * s + 2.00018790482477e-13f;
  p = p * s + -8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928875436e-04f;
  p = p * s + 4.89352455891786e-03f;
  float q = 1.19825839466702e-06f;
  q = q * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  return x * p / q;
}

}  // namespace scalelaw::vector_math
