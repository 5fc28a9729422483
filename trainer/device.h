// Which device a process trains on, and what is said when that is not the one it should be.
#pragma once

#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "trainer/gpu_probe.h"

namespace scalelaw {

// What stands between a process and a GPU; tests put their own here.
struct GpuAccess {
  GpuProbe probe;
  // Makes CUDA usable in this process; the reason when that fails, "" when it worked.
  std::function<std::string()> open;
};
// `local_rank`: of the processes of one run on this machine, whose GPU is the one to open.
GpuAccess this_machine(int local_rank = 0);

// `request` is "auto", "cpu" or "cuda"; anything else is a ConfigError.
//
// auto: the GPU where one is there or allocated to this job, else the CPU. A GPU that is there and
// cannot be used is a ConfigError with the driver found and the driver needed, never a quiet run
// on the CPU; the way round is to ask for the CPU or to hide the GPUs (CUDA_VISIBLE_DEVICES=).
// cuda: the GPU or a ConfigError.
//
// Call before the first use of ATen: the CUDA half of LibTorch is loaded here, and only here, so
// that a process on a CPU never pays its 240 MB.
at::Device choose_device(std::string_view request, const GpuAccess& access = this_machine());

// The GPU of a rank among those of its machine, which is also made current; the CPU stays the CPU.
// ConfigError where there are fewer GPUs than ranks. Where a launcher shows each rank one, that is
// it.
at::Device device_of_rank(at::Device device, int local_rank);

// Bytes that this process may fill, one of `sharing` on the device: its part of
// machine_memory_bytes(), or of the GPU's memory and then no more than is free now, so that it
// does not matter which of them comes first.
double device_memory_bytes(at::Device device, int64_t sharing = 1);

// LibTorch's own words in one line, without its stack trace. Where memory did not suffice it says
// so, for what (`work`: shape and batch) and what helps (`remedy`).
std::string failure_text(const c10::Error& error, const std::string& work,
                         const std::string& remedy);

}  // namespace scalelaw
