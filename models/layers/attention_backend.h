// Which kernel LibTorch takes for attention where this project has none of its own: on a GPU.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

#include "models/model_shape.h"

namespace scalelaw {

// "flash", "cudnn", "efficient" or "math" (the slowest: scores are kept whole) for a training step
// of so many windows, all replicas'; by LibTorch's own rules for architecture, dtype and head size.
// Takes room for the operands while it asks.
std::string attention_backend(const ModelShape& shape, int64_t n_windows, at::ScalarType dtype,
                              at::Device device);

}  // namespace scalelaw
