#include "sweeps/calibration.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "sweeps/calibration_steps.h"
#include "sweeps/step_timing.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/enum_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kSecondsToStart = 0.8;  // program, model and warm-up, where that is not known yet
constexpr double kLeastTimed = 0.15, kMostTimed = 2;

void require_possible(const Plan& plan, const CalibrationOptions& options) {
  if (plan.options.workers.device != DeviceKind::kCpu) {
    throw ConfigError(
        "--calibrate: measures a CPU, and these runs are on a GPU; use --device cpu, or "
        "scripts/bench_packs.py --device cuda and its file by --device-file");
  }
  if (access(options.trainer.c_str(), X_OK) != 0) {
    throw ConfigError(options.trainer.string() +
                      ": no such program; build it, or name it with --trainer");
  }
}

std::string described(const MeasuredStep& step) {
  return step.shape.arch + " " + std::to_string(step.shape.n_layer) + " x " +
         std::to_string(step.shape.d_model) + " in " + std::string(enum_text(step.precision));
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
Measurement measure(std::vector<MeasuredStep> steps, const CalibrationOptions& options,
                    std::vector<std::string>& warnings) {
  const double deadline = monotonic_seconds() + options.seconds;
  Measurement done;
  double to_start = kSecondsToStart;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double begin = monotonic_seconds();
    if (begin >= deadline) break;
    const double share = (deadline - begin) / static_cast<double>(steps.size() - i);
    const double timed = std::clamp(share - to_start, kLeastTimed, kMostTimed);
    const StepTiming timing = time_step(options.trainer, steps[i], timed, deadline);
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
                      const std::optional<std::filesystem::path>& cache,
                      const std::string& device) {
  require_possible(plan, options);
  CalibrationSteps chosen = steps_to_measure(plan);
  const CachedDevice before = cache ? read_cached_device(*cache) : CachedDevice{};
  const auto lacks = [&](const MeasuredStep& step) {
    return !before.device ||
           std::ranges::none_of(before.device->rows,
                                [&](const MeasuredStep& row) { return same_step(row, step); });
  };
  std::stable_partition(chosen.steps.begin(), chosen.steps.end(), lacks);
  Calibration result;
  for (const std::string& one : chosen.left_out) {
    result.warnings.push_back("not measured: " + one + ": each step would take more than " +
                              human(kLongestStepSeconds) +
                              " s at --flops-per-second, or memory to be computed in pieces");
  }
  Measurement measurement = measure(chosen.steps, options, result.warnings);
  const std::string more = " in " + human(options.seconds) + " s; allow more (--calibrate-seconds)";
  if (measurement.rows.empty()) {
    throw std::runtime_error("--calibrate: nothing could be measured" +
                             (measurement.fault.empty() ? more : ": " + measurement.fault));
  }
  if (measurement.fault.empty() && measurement.rows.size() < chosen.steps.size()) {
    result.warnings.push_back(std::to_string(measurement.rows.size()) + " of " +
                              std::to_string(chosen.steps.size()) + " steps were measured" + more);
  }
  const std::string kept_nowhere = "not kept";
  result.device = {cache ? cache->string() : kept_nowhere,
                   device,
                   DeviceKind::kCpu,
                   utc_now().substr(0, 10),
                   std::move(measurement.rows),
                   measurement.start_seconds()};
  if (!cache) {
    result.warnings.emplace_back(
        "what was measured is not kept: neither XDG_CACHE_HOME nor HOME names a folder");
    return result;
  }
  if (!before.fault.empty()) result.warnings.push_back("written anew: " + before.fault);
  result.device = merged(before.device, std::move(result.device));
  if (const std::string why = write_cached_device(*cache, result.device); !why.empty()) {
    result.device.file = kept_nowhere;
    result.warnings.push_back("what was measured is not kept: " + why);
  }
  return result;
}

}  // namespace scalelaw
