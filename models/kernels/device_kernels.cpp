#include "models/kernels/device_kernels.h"

namespace scalelaw {
namespace {

const DeviceKernels* installed = nullptr;

}  // namespace

const DeviceKernels* device_kernels() {
  return installed;
}

void install_device_kernels(const DeviceKernels* kernels) {
  installed = kernels;
}

}  // namespace scalelaw
