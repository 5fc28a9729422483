// The processes that train a sweep's runs, side by side: on which device, how many, and how many
// runs each may hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/memory_estimate.h"
#include "trainer/gpu_probe.h"

namespace scalelaw {

struct Workers {
  DeviceKind device = DeviceKind::kCpu;
  // CUDA_VISIBLE_DEVICES of the processes on each GPU; "": as it is. Of the CPU the one "".
  std::vector<std::string> gpus = {""};
  int jobs = 1;          // processes on each GPU, or on the CPU
  int64_t replicas = 0;  // most runs in one process; 0: chosen (packing.h)

  std::size_t processes() const { return gpus.size() * static_cast<std::size_t>(jobs); }
};

// `device` as `--device` says it. `jobs` 0: on the CPU as many as there are `cores`, on a GPU one.
// ConfigError as gpu_is_asked_for() (trainer/device_request.h).
Workers choose_workers(std::string_view device, int jobs, int64_t replicas, const GpuProbe& probe,
                       int cores);
// For a plan of so many GPUs wherever they are. ConfigError where `device` is the CPU.
Workers elsewhere(int gpus, std::string_view device, int jobs, int64_t replicas);

// "on the CPU, 2 processes at a time", "on 2 GPUs, 3 processes on each"
std::string describe(const Workers& workers);

}  // namespace scalelaw
