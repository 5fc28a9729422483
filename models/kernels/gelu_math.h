// GELU in its tanh form and its slope.
#pragma once

#include "models/kernels/vector_math.h"

namespace scalelaw {

// tanh(u) = 2 sigmoid(2 u) - 1, so that one exp gives the value and its slope.
constexpr float kTwoRootTwoOverPi = 1.5957691216057308f;
constexpr float kGeluCubic = 0.044715f;

struct ValueAndSlope {
  float value, slope;
};

// Below -20 both are 0 to float32, where the clamped exp would leave z^3 something to multiply.
SCALELAW_HOST_DEVICE ValueAndSlope gelu(float x) {
  const float z = x < -20.0f ? -20.0f : x;
  const float square = z * z;
  const float s = vector_math::sigmoid(kTwoRootTwoOverPi * (z + kGeluCubic * square * z));
  const float inner_slope = kTwoRootTwoOverPi * (1.0f + 3.0f * kGeluCubic * square);
  return {z * s, s + z * s * (1.0f - s) * inner_slope};
}

}  // namespace scalelaw
