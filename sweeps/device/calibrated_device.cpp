#include "sweeps/device/calibrated_device.h"

#include "sweeps/device/device_cache.h"
#include "trainer/gpu_probe.h"

namespace scalelaw {

BenchWay bench_way(DeviceKind device) {
  if (device == DeviceKind::kCpu) {
    return {.device = "cpu",
            .step = StepKind::kEager,
            .warmup_steps = 2,
            .clock = "process CPU time of a step, one thread a process",
            .clock_key = "step_cpu_seconds_median",
            .start_seconds = 0.8,
            .usual_seconds = 20,
            .longest_step_seconds = 2};
  }
  return {.device = "cuda",
          .step = StepKind::kGraph,
          .warmup_steps = 10,
          .clock = "wall time of a step",
          .clock_key = "step_wall_seconds_median",
          .start_seconds = 6,
          .usual_seconds = 120,
          .longest_step_seconds = 2.0 / 16};
}

CalibratedDevice calibrated_device(const Workers& workers, int cores,
                                   const std::filesystem::path& root) {
  CalibratedDevice device;
  device.kind = workers.device;
  device.gpu = workers.gpus.front();
  device.name = device.kind == DeviceKind::kCpu ? cpu_name(cores) : gpu_model(device.gpu, root);
  if (device.name.empty()) {
    device.name = "a GPU";
    device.why_not_kept =
        "/proc/driver/nvidia/gpus does not tell which model the GPU is (MIG, or several models); "
        "scripts/bench_packs.py writes a file for --device-file";
    return device;
  }
  const std::optional<std::filesystem::path> folder = device_cache_folder();
  if (folder) device.file = device_cache_file(*folder, device.name);
  if (!folder) device.why_not_kept = "neither XDG_CACHE_HOME nor HOME names a folder";
  return device;
}

}  // namespace scalelaw
