// Linked with a test it makes every layer of that test run on the CUDA kernels, emulated.
#include "models/kernels/device_kernels.h"

extern "C" const scalelaw::DeviceKernels* scalelaw_device_kernels();

namespace scalelaw {
namespace {

[[maybe_unused]] const bool installed =
    (install_device_kernels(scalelaw_device_kernels()), device_kernels()->emulated);

}  // namespace
}  // namespace scalelaw
