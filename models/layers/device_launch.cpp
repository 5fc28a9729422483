#include "models/layers/device_launch.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace scalelaw {

const DeviceKernels* kernels_for(const at::Tensor& x) {
  const DeviceKernels* kernels = device_kernels();
  if (kernels == nullptr || x.is_cpu() != kernels->emulated) return nullptr;
  const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
  return known ? kernels : nullptr;
}

ElementType element_type(const at::Tensor& x) {
  TORCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16,
              "no kernel for elements of ", x.scalar_type());
  return x.scalar_type() == at::kFloat ? ElementType::kFloat : ElementType::kBFloat16;
}

float* floats(const at::Tensor& x) {
  return x.defined() ? x.mutable_data_ptr<float>() : nullptr;
}

void* elements(const at::Tensor& x) {
  return x.defined() ? x.mutable_data_ptr() : nullptr;
}

DeviceRows replica_rows(const at::Tensor& parameter) {
  return {floats(parameter), parameter.defined() ? parameter.stride(0) : 0};
}

at::Tensor room_for_row_sums(const at::Tensor& x, int64_t n_columns) {
  return at::empty({x.size(0), row_parts(x.size(1)), n_columns}, x.options().dtype(at::kFloat));
}

void* current_stream(at::Device device) {
  if (device.is_cpu()) return nullptr;
  return c10::impl::getDeviceGuardImpl(device.type())->getStream(device).native_handle();
}

void check_launch(int code) {
  TORCH_CHECK(code == 0, "a kernel was not launched: ", device_kernels()->error_text(code));
}

}  // namespace scalelaw
