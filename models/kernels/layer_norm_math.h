// Layer normalisation of one element whose row's means are known.
#pragma once

#include "models/kernels/host_device.h"

namespace scalelaw {

SCALELAW_HOST_DEVICE float normalised(float x, float mean, float rstd, float gain) {
  return (x - mean) * rstd * gain;
}

// With y = (x - mean) rstd and g = gain normed_gradient:
//   x_gradient = rstd (g - mean(g) - y mean(g y))
SCALELAW_HOST_DEVICE float norm_gradient(float g, float x, float mean, float rstd, float mean_g,
                                         float mean_gy) {
  return rstd * (g - mean_g - (x - mean) * rstd * mean_gy);
}

}  // namespace scalelaw
