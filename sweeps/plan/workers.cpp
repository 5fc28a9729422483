#include "sweeps/plan/workers.h"

#include <algorithm>

#include "trainer/config_error.h"
#include "trainer/device_request.h"

namespace scalelaw {

Workers choose_workers(std::string_view device, int jobs, int64_t replicas, const GpuProbe& probe,
                       int cores) {
  Workers workers;
  workers.replicas = replicas;
  if (gpu_is_asked_for(device, probe)) {
    workers.device = DeviceKind::kGpu;
    workers.gpus = single_gpus(probe);
  }
  const int chosen = workers.device == DeviceKind::kCpu ? cores : 1;
  workers.jobs = jobs > 0 ? jobs : chosen;
  return workers;
}

Workers elsewhere(int gpus, std::string_view device, int jobs, int64_t replicas) {
  if (device == "cpu") throw ConfigError("--gpus: says how many GPUs, and --device is cpu");
  Workers workers;
  workers.device = DeviceKind::kGpu;
  workers.replicas = replicas;
  workers.jobs = std::max(1, jobs);
  workers.gpus.clear();
  for (int i = 0; i < gpus; ++i) workers.gpus.push_back(std::to_string(i));
  return workers;
}

std::string describe(const Workers& workers) {
  const std::string processes =
      std::to_string(workers.jobs) + (workers.jobs == 1 ? " process" : " processes");
  if (workers.device == DeviceKind::kCpu) return "on the CPU, " + processes + " at a time";
  if (workers.gpus.size() == 1) return "on a GPU, " + processes + " at a time";
  return "on " + std::to_string(workers.gpus.size()) + " GPUs, " + processes + " on each";
}

}  // namespace scalelaw
