// The time of a training step on this machine's CPU, or one GPU of it: `scalelaw bench` of the
// trainer, in as many processes at once as a packing says.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sweeps/device/calibrated_device.h"
#include "sweeps/device/device_file.h"

namespace scalelaw {

struct StepTiming {
  std::optional<double> step_seconds;  // what each process would take if all took the same
  std::string fault;                   // of a process that could not; "" where time ended
  double start_seconds = 0;            // each process's, until its model is there; 0: not told
};

// `timed_seconds`: of each process, all of them at the same time, after a warm-up, as bench_way()
// says. At `deadline` (monotonic seconds) what still runs is killed.
StepTiming time_step(const std::filesystem::path& trainer, const MeasuredStep& step,
                     const CalibratedDevice& device, double timed_seconds, double deadline);

}  // namespace scalelaw
