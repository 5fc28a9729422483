// The device that `scalelaw sweep plan --calibrate` measures, how its steps are timed, and where
// their times are kept (device_cache.h).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sweeps/plan/workers.h"
#include "trainer/run_config.h"

namespace scalelaw {

// All that differs between devices. `scalelaw bench` makes a step as runs do of which nothing else
// is said: eager on a CPU, of which the process's CPU time is told since a busy machine disturbs
// that least; a CUDA graph on a GPU, by the wall clock, 16 steps at a time.
struct BenchWay {
  const char* device;           // --device
  StepKind step;                // --step
  int warmup_steps;             // --warmup
  const char* clock;            // what is told, in words
  const char* clock_key;        // in bench's JSON
  double start_seconds;         // program, model and warm-up, where that is not known yet
  double usual_seconds;         // of a whole calibration
  double longest_step_seconds;  // of what is measured, by stated or assumed rates
};
// Of a GPU start and times are assumed: none was measured.
BenchWay bench_way(DeviceKind device);

struct CalibratedDevice {
  DeviceKind kind = DeviceKind::kCpu;
  std::string gpu;                            // CUDA_VISIBLE_DEVICES of its processes; "": as it is
  std::string name;                           // "AMD EPYC, 2 cores", "NVIDIA H100 80GB HBM3"
  std::optional<std::filesystem::path> file;  // nullopt: its times are kept nowhere
  std::string why_not_kept;                   // "" where they are
};

// The CPU of `cores`, or the first of the workers' GPUs. One whose model the driver does not tell
// is kept nowhere: its times would be taken for another's. `root` is replaced in tests.
CalibratedDevice calibrated_device(const Workers& workers, int cores,
                                   const std::filesystem::path& root = "/");

}  // namespace scalelaw
