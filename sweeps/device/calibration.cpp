#include "sweeps/device/calibration.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "sweeps/device/calibration_steps.h"
#include "sweeps/device/step_timing.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/enum_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kLeastTimed = 0.15, kMostTimed = 2;

std::string described(const MeasuredStep& step) {
  return step.shape.arch + " " + std::to_string(step.shape.n_layer) + " x " +
         std::to_string(step.shape.d_model) + " in " + std::string(enum_text(step.precision)) +
         (step.packing.replicas > 1 ? ", " + std::to_string(step.packing.replicas) + " in a process"
                                    : "");
}

struct Measurement {
  std::vector<MeasuredStep> rows;
  std::vector<double> starts;  // seconds
  std::string fault;           // the last one
  double start_seconds() {
    std::ranges::sort(starts);
    return starts.empty() ? 0 : starts[starts.size() / 2];
  }
};

// Each is timed for its share of the time that is left, but for what starting takes.
Measurement measure(const std::vector<MeasuredStep>& steps, const std::filesystem::path& trainer,
                    const CalibratedDevice& device, double seconds,
                    std::vector<std::string>& warnings) {
  const double deadline = monotonic_seconds() + seconds;
  Measurement done;
  double to_start = bench_way(device.kind).start_seconds;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double begin = monotonic_seconds();
    if (begin >= deadline) break;
    const double share = (deadline - begin) / static_cast<double>(steps.size() - i);
    const double timed = std::clamp(share - to_start, kLeastTimed, kMostTimed);
    const StepTiming timing = time_step(trainer, steps[i], device, timed, deadline);
    to_start = std::max(0.0, monotonic_seconds() - begin - timed);
    if (!timing.fault.empty()) {
      done.fault = described(steps[i]) + ": " + timing.fault;
      warnings.push_back("not measured: " + done.fault);
    }
    if (!timing.step_seconds) continue;
    done.rows.push_back(steps[i]);
    done.rows.back().step_seconds = *timing.step_seconds;
    done.starts.push_back(timing.start_seconds);
  }
  return done;
}

}  // namespace

Calibration calibrate(const Plan& plan, const CalibrationOptions& options,
                      const CalibratedDevice& device) {
  if (access(options.trainer.c_str(), X_OK) != 0) {
    throw ConfigError(options.trainer.string() +
                      ": no such program; build it, or name it with --trainer");
  }
  CalibrationSteps chosen = steps_to_measure(plan);
  const CachedDevice before = device.file ? read_cached_device(*device.file) : CachedDevice{};
  const auto lacks = [&](const MeasuredStep& step) {
    return !before.device || std::ranges::none_of(before.device->rows, [&](const auto& row) {
      return same_step(row, step);
    });
  };
  std::stable_partition(chosen.steps.begin(), chosen.steps.end(), lacks);
  Calibration result;
  for (const std::string& one : chosen.left_out) {
    result.warnings.push_back("not measured: " + one);
  }
  const double seconds = options.seconds.value_or(bench_way(device.kind).usual_seconds);
  Measurement measurement =
      measure(chosen.steps, options.trainer, device, seconds, result.warnings);
  const std::string more = " in " + human(seconds) + " s; allow more (--calibrate-seconds)";
  if (measurement.rows.empty()) {
    std::string why = measurement.fault;
    if (chosen.steps.empty() && !chosen.left_out.empty()) why = chosen.left_out.front();
    throw std::runtime_error("--calibrate: nothing could be measured" +
                             (why.empty() ? more : ": " + why));
  }
  if (measurement.fault.empty() && measurement.rows.size() < chosen.steps.size()) {
    result.warnings.push_back(std::to_string(measurement.rows.size()) + " of " +
                              std::to_string(chosen.steps.size()) + " steps were measured" + more);
  }
  const std::string kept_nowhere = "not kept";
  result.device = {device.file ? device.file->string() : kept_nowhere,
                   device.name,
                   device.kind,
                   utc_now().substr(0, 10),
                   std::move(measurement.rows),
                   measurement.start_seconds()};
  if (!device.file) {
    result.warnings.push_back("what was measured is not kept: " + device.why_not_kept);
    return result;
  }
  if (!before.fault.empty()) result.warnings.push_back("written anew: " + before.fault);
  result.device = merged(before.device, std::move(result.device));
  if (const std::string why = write_cached_device(*device.file, result.device); !why.empty()) {
    result.device.file = kept_nowhere;
    result.warnings.push_back("what was measured is not kept: " + why);
  }
  return result;
}

}  // namespace scalelaw
