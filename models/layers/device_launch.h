// The kernels of models/kernels/device_kernels.h on tensors.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>

#include "models/kernels/device_kernels.h"

namespace scalelaw {

// What works on x: float32 or bf16 on a device whose kernels are installed. Else null. The kernels
// want dense operands, which is the caller's part.
const DeviceKernels* kernels_for(const at::Tensor& x);

ElementType element_type(const at::Tensor& x);

// The first element; null of an undefined tensor.
float* floats(const at::Tensor& x);
void* elements(const at::Tensor& x);

// A parameter or its gradient [R, …], elements dense; zeros of an undefined tensor.
DeviceRows replica_rows(const at::Tensor& parameter);

// Room for the parts' sums over the rows of x (R, M, …), n_columns of each replica.
at::Tensor room_for_row_sums(const at::Tensor& x, int64_t n_columns);

// LibTorch's current stream on that device, as the kernels take it.
void* current_stream(at::Device device);
// c10::Error where code, a kernel's result, is not 0.
void check_launch(int code);

template <typename Arguments>
void launch(DeviceKernel<Arguments> kernel, const Arguments& arguments, at::Device device) {
  const c10::DeviceGuard guard(device);
  check_launch(kernel(arguments, current_stream(device)));
}

}  // namespace scalelaw
