// One pair of numbers turned by an angle.
#pragma once

#include "models/kernels/host_device.h"

namespace scalelaw {

SCALELAW_HOST_DEVICE void turn_pair(float cosine, float sine, float& first, float& second) {
  const float a = first, b = second;
  first = a * cosine - b * sine;
  second = b * cosine + a * sine;
}

}  // namespace scalelaw
