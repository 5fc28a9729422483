// `scalelaw sweep plan --calibrate`: a plan's own training steps, measured on this machine's CPU or
// GPU within a stated time and kept for later plans (device_cache.h).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/device/calibrated_device.h"
#include "sweeps/device/device_cache.h"
#include "sweeps/plan/plan.h"

namespace scalelaw {

struct CalibrationOptions {
  std::filesystem::path trainer;  // the program scalelaw-train
  std::optional<double> seconds;  // at most, all measurements together; nullopt: bench_way()'s
};

struct Calibration {
  DeviceFile device;                  // what was measured, merged with what was there
  std::vector<std::string> warnings;  // of steps that could not be, of a cache that is not written
};

// Measures steps_to_measure() on `device`, which is the plan's, until time ends, those first that
// its file lacks, and writes it. ConfigError where the trainer is not there. std::runtime_error
// where nothing could be measured.
Calibration calibrate(const Plan& plan, const CalibrationOptions& options,
                      const CalibratedDevice& device);

}  // namespace scalelaw
