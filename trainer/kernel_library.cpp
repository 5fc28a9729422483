#include "trainer/kernel_library.h"

#include <dlfcn.h>

#include <system_error>

#include "models/kernels/device_kernels.h"

namespace scalelaw {

std::filesystem::path kernel_library_file() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "lib" / "libscalelaw_cuda.so";
}

std::string load_kernel_library(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return file.string() + " is not there";
  // Never closed: its kernels serve for the life of the process.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return dlerror();
  const auto entry = reinterpret_cast<DeviceKernelsEntry>(dlsym(library, kDeviceKernelsSymbol));
  if (entry == nullptr) return file.string() + " exports no " + kDeviceKernelsSymbol;
  const DeviceKernels* kernels = entry();
  if (kernels->version != kDeviceKernelsVersion || kernels->bytes != sizeof(DeviceKernels)) {
    return file.string() + " was built with another version of this program";
  }
  install_device_kernels(kernels);
  return "";
}

std::string missing_kernels(at::Device device) {
  if (device.is_cpu()) return "";
  std::string problem = load_kernel_library();
  if (const DeviceKernels* kernels = device_kernels(); kernels != nullptr) {
    if (const int code = kernels->can_run(); code != 0) {
      problem =
          "the kernels do not run on this GPU (" + std::string(kernels->error_text(code)) + ")";
      install_device_kernels(nullptr);
    }
  }
  return problem.empty() ? "" : "layers run on LibTorch's operators, more slowly: " + problem;
}

}  // namespace scalelaw
