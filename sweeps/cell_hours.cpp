#include "sweeps/cell_hours.h"

#include <algorithm>
#include <cmath>

#include "sweeps/packing.h"
#include "trainer/evaluation_steps.h"
#include "trainer/noise_scale.h"
#include "trainer/number.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

constexpr double kSecondsAnHour = 3600;
constexpr double kForwardShare = 1.0 / 3;  // of a training step, whose backward is two forwards

constexpr const char* kAssumedOfGpus =
    "rates that are assumed of a GPU and not measured (100 TFLOP/s in bf16,\n15 in fp32, 2 TB/s, 2 "
    "us "
    "a kernel); --calibrate on it, or --device-file, takes measured ones";

double evaluated_tokens(const RunConfig& config) {
  const auto points = static_cast<double>(
      evaluation_steps(config.evaluate.points_per_decade, total_steps(config)).size());
  double tokens = 0;
  for (const auto& [set, final_tokens] : test_tokens(config)) {
    tokens += points * static_cast<double>(config.evaluate.tokens);
    tokens += static_cast<double>(final_tokens);
  }
  return tokens;
}

}  // namespace

RunSeconds run_seconds(const RunConfig& config, double step_seconds) {
  const int64_t steps = total_steps(config);
  const auto batch_tokens = static_cast<double>(config.train.batch_tokens);
  RunSeconds seconds;
  seconds.training = step_seconds * static_cast<double>(steps);
  seconds.evaluation = step_seconds * kForwardShare * evaluated_tokens(config) / batch_tokens;
  if (const int64_t every = config.evaluate.noise_scale_every; every > 0) {
    const int64_t measurements = steps / every;
    const int64_t windows = config.train.batch_tokens / config.model.n_ctx;
    const double share = static_cast<double>(small_batch_windows(windows)) /
                         static_cast<double>(std::max<int64_t>(1, windows));
    seconds.noise_scale = step_seconds * share * static_cast<double>(measurements);
  }
  return seconds;
}

const Throughput* measured_core(const PlanOptions& options) {
  const bool on_cpu = options.workers.device == DeviceKind::kCpu;
  return on_cpu && options.throughput ? &*options.throughput : nullptr;
}

std::string hours_source(const PlanOptions& options) {
  const bool on_cpu = options.workers.device == DeviceKind::kCpu;
  if (!on_cpu && !options.throughput) return "time at " + std::string(kAssumedOfGpus);
  const Throughput* core = on_cpu ? measured_core(options) : &*options.throughput;
  if (core == nullptr) {
    return "time at a stated " + human(options.flops_per_second / 1e9) +
           " GFLOP/s (--flops-per-second)";
  }
  const HeldOutError error = core->held_out_error();
  std::string text = "time by " + core->source();
  if (error.rows == 0) return text;
  const auto percent = [](double log_ratio) { return human(100 * std::expm1(log_ratio)) + "%"; };
  return text + ", which predicts\na shape from the others within " + percent(error.median) +
         " (median; worst " + percent(error.worst) + ")";
}

std::optional<double> measured_step_seconds(const PlanOptions& options, const PlannedCell& cell) {
  const Throughput* core = measured_core(options);
  if (core == nullptr) return std::nullopt;
  return core->step_seconds(request_for(cell.config, cell.shape, /*replicas=*/1),
                            std::min(options.workers.jobs, core->most_processes()));
}

void predict_hours(const PlanOptions& options, PlannedCell& cell) {
  if (!cell.train_flops || options.workers.device == DeviceKind::kGpu) return;
  const auto steps = static_cast<double>(std::max<int64_t>(1, cell.steps));
  const double assumed = *cell.train_flops / options.flops_per_second / steps;
  const RunSeconds seconds =
      run_seconds(cell.config, measured_step_seconds(options, cell).value_or(assumed));
  cell.core_hours = seconds.total() / kSecondsAnHour;
  cell.evaluate_core_hours = (seconds.evaluation + seconds.noise_scale) / kSecondsAnHour;
}

void predict_gpu_hours(Plan& plan) {
  const Throughput assumed = Throughput::unmeasured(DeviceKind::kGpu);
  const Throughput& device = plan.options.throughput ? *plan.options.throughput : assumed;
  const int jobs = plan.options.workers.jobs;
  for (const PlannedPack& pack : packs_of_all(plan)) {
    const PlannedCell& first = plan.cells[pack.front()];
    const auto replicas = static_cast<int64_t>(pack.size());
    const StepRequest request = request_for(first.config, first.shape, replicas);
    // More processes side by side than were measured gain nothing that is known.
    const auto step_seconds = [&](const Throughput& of) {
      const int processes = std::min(jobs, of.most_processes());
      std::optional<double> seconds = of.step_seconds(request, processes);
      if (seconds) *seconds *= static_cast<double>(jobs) / processes;
      return seconds;
    };
    std::optional<double> step = step_seconds(device);
    if (!step) step = step_seconds(assumed);
    if (!step) continue;
    const auto side_by_side = static_cast<double>(replicas * jobs);
    for (const std::size_t index : pack) {
      PlannedCell& cell = plan.cells[index];
      cell.pack_hours = run_seconds(cell.config, *step).total() / kSecondsAnHour;
      cell.gpu_hours = *cell.pack_hours / side_by_side;
    }
  }
}

}  // namespace scalelaw
