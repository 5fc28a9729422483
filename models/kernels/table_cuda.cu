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
#if defined(SCALELAW_EMULATES_CUDA)
  kernels.emulated = true;
#endif
  kernels.error_text = error_text;
  kernels.adamw = cuda::adamw;
  kernels.gradient_norms = cuda::gradient_norms;
  kernels.cross_entropy = cuda::cross_entropy;
  kernels.norm_forward = cuda::norm_forward;
  kernels.norm_backward = cuda::norm_backward;
  kernels.gelu_forward = cuda::gelu_forward;
  kernels.gelu_backward = cuda::gelu_backward;
  kernels.column_sum = cuda::column_sum;
  kernels.embedding_forward = cuda::embedding_forward;
  kernels.embedding_backward = cuda::embedding_backward;
  kernels.rotary = cuda::rotary;
  kernels.lstm_forward = cuda::lstm_forward;
  kernels.lstm_backward = cuda::lstm_backward;
  return kernels;
}

}  // namespace
}  // namespace scalelaw

extern "C" __attribute__((visibility("default"))) const scalelaw::DeviceKernels*
scalelaw_device_kernels() {
  static const scalelaw::DeviceKernels kernels = scalelaw::table();
  return &kernels;
}
