// `scalelaw sweep plan --calibrate`: a plan's own training steps, measured on this machine's CPU
// within a stated time and kept for later plans (device_cache.h).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/device_cache.h"
#include "sweeps/plan.h"

namespace scalelaw {

struct CalibrationOptions {
  std::filesystem::path trainer;  // the program scalelaw-train
  double seconds = 20;            // at most, all measurements together
};

struct Calibration {
  DeviceFile device;                  // what was measured, merged with what was there
  std::vector<std::string> warnings;  // of steps that could not be, of a cache that is not written
};

// Measures steps_to_measure() until time ends, those first that `cache` lacks, and writes it.
// ConfigError where the plan's runs are on a GPU, or the trainer is not there. std::runtime_error
// where nothing could be measured.
Calibration calibrate(const Plan& plan, const CalibrationOptions& options,
                      const std::optional<std::filesystem::path>& cache, const std::string& device);

}  // namespace scalelaw
