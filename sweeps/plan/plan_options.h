// What a command line says of a plan, read: counts, rates, workers, what was measured.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/device/calibration.h"
#include "sweeps/plan/plan.h"

namespace scalelaw {

// The options' texts, as they were given, or as the file's executor and a profile say them
// (executor_options.h).
struct PlanArguments {
  std::string runs = "runs", data = "data";
  std::string n_count = "non_embedding", c_count = "exact_causal";
  std::string flops_per_second;          // "": not given
  std::string price_per_hour;            // "": not given
  std::string device_file;               // "": what --calibrate has kept of this device, if it has
  bool is_profiles_device_file = false;  // which says nothing where another device was chosen
  std::string device = "auto";
  std::string device_from;  // "profile gpu", where no option says the device
  int jobs = 0;             // 0: chosen
  int64_t replicas = 0;     // 0: chosen
  int gpus = 0;             // of a plan for another machine; 0: for this one
  std::string time_limit;   // of an attempt; "": none
  std::string profile;      // "gpu of FILE", whose settings are among these; "": none
};

struct AskedPlan {
  Plan plan;
  std::vector<std::string> warnings;  // of what was kept or measured
};

// As make_plan(), with steps measured first where a calibration is asked for. Where none is, a
// --device-file wins over what an earlier one has kept, and so does a stated --flops-per-second.
// A profile's device file that was measured on another kind of device is left aside, with a
// warning. ConfigError names the option, also where a calibration is asked for of GPUs elsewhere;
// otherwise as calibrate(). `root` is replaced in tests.
AskedPlan plan_as_asked(const SweepSpec& spec, const PlanArguments& arguments,
                        const std::optional<CalibrationOptions>& calibration = std::nullopt,
                        const std::filesystem::path& root = "/");

}  // namespace scalelaw
