#include "trainer/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/ones.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>

#include "trainer/config_error.h"
#include "trainer/device_request.h"
#include "trainer/machine_memory.h"
#include "trainer/program_exit.h"

namespace scalelaw {
namespace {

// CUDA's own words for why it cannot start come as a warning; keeps them for the message.
class KeptWarning : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override { text_ = warning.msg(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// libtorch_cuda.so beside the libtorch_cpu.so of this process. Loading it registers its kernels,
// hooks and guards, exactly as linking it would.
std::string load_cuda_half() {
  Dl_info torch_cpu;
  if (dladdr(reinterpret_cast<void*>(&at::globalContext), &torch_cpu) == 0) {
    return "LibTorch's own folder could not be found";
  }
  const auto library =
      std::filesystem::path(torch_cpu.dli_fname).parent_path() / "libtorch_cuda.so";
  // Never closed: what it registered stays for the life of the process.
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    return "LibTorch's CUDA half could not be loaded (" + std::string(dlerror()) +
           "); scripts/setup.sh --torch cuda installs it";
  }
  return "";
}

// Of the rank, so that no other's is taken: a process that has opened a GPU holds memory there.
std::string open_gpu(int local_rank) {
  if (std::string problem = load_cuda_half(); !problem.empty()) return problem;
  KeptWarning warning;
  const c10::WarningUtils::WarningHandlerGuard guard(&warning);
  try {
    const int gpus = static_cast<uint8_t>(at::detail::getCUDAHooks().deviceCount());
    if (gpus == 0) {
      return warning.text().empty() ? "CUDA finds no device" : first_line(warning.text());
    }
    // A device that is counted may still lack code for its generation or be held by another.
    const int own = local_rank < gpus ? local_rank : 0;
    at::ones({1}, at::Device(at::kCUDA, static_cast<at::DeviceIndex>(own))).item<float>();
  } catch (const c10::Error& error) {
    return first_line(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return first_line(error.what());
  }
  return "";
}

}  // namespace

GpuAccess this_machine(int local_rank) {
  return {probe_gpus(), [local_rank] { return open_gpu(local_rank); }};
}

at::Device choose_device(std::string_view request, const GpuAccess& access) {
  const GpuProbe& probe = access.probe;
  if (!gpu_is_asked_for(request, probe)) return at::kCPU;
  const std::string problem = access.open();
  if (problem.empty()) return {at::kCUDA, 0};
  throw ConfigError((probe.gpus > 0 ? "a GPU is here" : "a GPU is allotted to this job") +
                    std::string(" and cannot be used: ") + problem + " (" + describe(probe) +
                    "). Mend that, or ask for the CPU with --device cpu");
}

at::Device device_of_rank(at::Device device, int local_rank) {
  if (!device.is_cuda()) return device;
  const int gpus = static_cast<uint8_t>(at::detail::getCUDAHooks().deviceCount());
  if (gpus > 1 && local_rank >= gpus) {
    throw ConfigError("rank " + std::to_string(local_rank) + " of this machine finds " +
                      std::to_string(gpus) + " GPUs; start as many processes as there are GPUs");
  }
  const at::Device own(at::kCUDA, static_cast<at::DeviceIndex>(gpus > 1 ? local_rank : 0));
  c10::impl::getDeviceGuardImpl(at::kCUDA)->setDevice(own);
  return own;
}

double device_memory_bytes(at::Device device, int64_t sharing) {
  const auto processes = static_cast<double>(sharing);
  if (device.is_cpu()) return machine_memory_bytes() / processes;
  const auto [free, total] = at::getDeviceAllocator(device.type())->getMemoryInfo(device.index());
  return std::min(static_cast<double>(free), static_cast<double>(total) / processes);
}

std::string failure_text(const c10::Error& error, const std::string& work,
                         const std::string& remedy) {
  std::string said = first_line(error.what_without_backtrace());
  // What stands before it is LibTorch's own source line.
  if (const auto at = said.find("DefaultCPUAllocator: "); at != std::string::npos)
    said.erase(0, at);
  // Of the CPU's allocator, of CUDA's, and of a tensor whose bytes 64 bits cannot count.
  for (const char* sign : {"not enough memory", "t allocate memory", "out of memory", "overflow"}) {
    if (said.find(sign) == std::string::npos) continue;
    return std::string(kMemoryDoesNotSuffice) + " for " + work + "; " + remedy +
           " (LibTorch: " + said + ")";
  }
  return "LibTorch failed on " + work + ": " + said;
}

}  // namespace scalelaw
