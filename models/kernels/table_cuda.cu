#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"
#include "models/kernels/device_kernels.h"

namespace scalelaw {
namespace {

const char* error_text(int code) {
  return cudaGetErrorString(static_cast<cudaError_t>(code));
}

DeviceKernels table() {
  DeviceKernels kernels;
  kernels.error_text = error_text;
  kernels.adamw = cuda::adamw;
  kernels.gradient_norms = cuda::gradient_norms;
  return kernels;
}

}  // namespace
}  // namespace scalelaw

extern "C" __attribute__((visibility("default"))) const scalelaw::DeviceKernels*
scalelaw_device_kernels() {
  static const scalelaw::DeviceKernels kernels = scalelaw::table();
  return &kernels;
}
