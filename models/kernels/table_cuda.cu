#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"
#include "models/kernels/device_kernels.h"

namespace scalelaw {
namespace {

// Of a GPU for which there is no machine code here the first kernel would say so, much later.
#if defined(SCALELAW_EMULATES_CUDA)
int can_run() {
  return 0;
}
#else
__global__ void probe() {}

int can_run() {
  cudaFuncAttributes attributes;
  const cudaError_t status = cudaFuncGetAttributes(&attributes, probe);
  cudaGetLastError();  // it would be the next kernel's
  return static_cast<int>(status);
}
#endif

const char* error_text(int code) {
  return cudaGetErrorString(static_cast<cudaError_t>(code));
}

DeviceKernels table() {
  DeviceKernels kernels;
#if defined(SCALELAW_EMULATES_CUDA)
  kernels.emulated = true;
#endif
  kernels.error_text = error_text;
  kernels.can_run = can_run;
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
  kernels.widest_persistent_lstm = cuda::widest_persistent_lstm;
  kernels.persistent_lstm_forward = cuda::persistent_lstm_forward;
  kernels.persistent_lstm_backward = cuda::persistent_lstm_backward;
  return kernels;
}

}  // namespace
}  // namespace scalelaw

extern "C" __attribute__((visibility("default"))) const scalelaw::DeviceKernels*
scalelaw_device_kernels() {
  static const scalelaw::DeviceKernels kernels = scalelaw::table();
  return &kernels;
}
