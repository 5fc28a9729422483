#include "sweeps/plan/cell_hours.h"

#include <algorithm>
#include <cmath>

#include "sweeps/device/packing.h"
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

// A pack's runs, `processes` such packs on a GPU. By the device's law or, of what that lacks, by
// `assumed`.
void predict_pack(const Throughput& device, const Throughput& assumed, int processes,
                  const PlannedPack& pack, std::vector<PlannedCell>& cells) {
  const PlannedCell& first = cells[pack.front()];
  const auto replicas = static_cast<int64_t>(pack.size());
  const StepRequest request = request_for(first.config, first.shape, replicas);
  const Throughput& by = device.step_seconds(request, 1) ? device : assumed;
  const std::optional<double> alone = by.step_seconds(request, 1);
  // More processes side by side than were measured gain nothing that is known.
  const int measured = std::min(processes, by.most_processes());
  const std::optional<double> beside = by.step_seconds(request, measured);
  if (!alone || !beside) return;
  for (const std::size_t index : pack) {
    PlannedCell& cell = cells[index];
    const auto hours = [&](double step) {
      return run_seconds(cell.config, step).total() / kSecondsAnHour;
    };
    cell.packs_on_its_gpu = processes;
    cell.pack_hours = hours(*alone);
    cell.runs_in_its_pack = replicas;
    cell.gpu_hours = hours(*beside) / static_cast<double>(replicas * measured);
  }
}

void predict_cpu_packs(Plan& plan) {
  const PlanOptions& options = plan.options;
  const bool is_chosen = options.workers.replicas == 0 && options.throughput;
  if ((is_chosen ? options.throughput->most_replicas() : options.workers.replicas) <= 1) return;
  for (const Stage stage : kStages) {
    for (const PlannedPack& pack : packs_of(plan, stage)) {
      if (pack.size() == 1) continue;
      double hours = 0;
      for (const std::size_t cell : pack) hours += plan.cells[cell].core_hours.value_or(0);
      for (const std::size_t cell : pack) {
        plan.cells[cell].pack_hours = hours;
        plan.cells[cell].runs_in_its_pack = std::ssize(pack);
      }
    }
  }
}

void predict_gpu_packs(Plan& plan) {
  const Throughput assumed = Throughput::unmeasured(DeviceKind::kGpu);
  const Throughput& device = plan.options.throughput ? *plan.options.throughput : assumed;
  const Workers& workers = plan.options.workers;
  for (const Stage stage : kStages) {
    const std::vector<PlannedPack> packs = packs_of(plan, stage);
    const std::size_t gpus = workers.gpus.size();
    for (std::size_t i = 0; i < packs.size(); ++i) {
      // One after another is given to the GPU that has fewest.
      const std::size_t on_its_gpu = packs.size() / gpus + (i % gpus < packs.size() % gpus ? 1 : 0);
      const auto processes = static_cast<int>(std::min<std::size_t>(workers.jobs, on_its_gpu));
      predict_pack(device, assumed, processes, packs[i], plan.cells);
    }
  }
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

std::string stated_rate(const PlanOptions& options) {
  return human(options.flops_per_second / 1e9) + " GFLOP/s (--flops-per-second)";
}

bool has_measured_hours(const Plan& plan) {
  return std::ranges::any_of(plan.cells, [&](const PlannedCell& cell) {
    return measured_step_seconds(plan.options, cell).has_value();
  });
}

std::string hours_source(const Plan& plan) {
  const PlanOptions& options = plan.options;
  if (!has_measured_hours(plan)) {
    return options.workers.device == DeviceKind::kCpu ? "time at a stated " + stated_rate(options)
                                                      : "time at " + std::string(kAssumedOfGpus);
  }
  const Throughput& device = *options.throughput;
  const HeldOutError error = device.held_out_error();
  std::string text = "time by " + device.source();
  if (error.rows == 0) return text;
  const auto percent = [](double log_ratio) { return human(100 * std::expm1(log_ratio)) + "%"; };
  return text + ", which predicts\na shape from the others within " + percent(error.median) +
         " (median; worst " + percent(error.worst) + ")";
}

std::optional<double> measured_step_seconds(const PlanOptions& options, const PlannedCell& cell) {
  if (!options.throughput) return std::nullopt;
  const Throughput& device = *options.throughput;
  return device.step_seconds(request_for(cell.config, cell.shape, /*replicas=*/1),
                             std::min(options.workers.jobs, device.most_processes()));
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

void predict_pack_hours(Plan& plan) {
  if (plan.options.workers.device == DeviceKind::kCpu) {
    predict_cpu_packs(plan);
  } else {
    predict_gpu_packs(plan);
  }
}

double process_hours(const PlannedCell& cell) {
  return cell.pack_hours.value_or(cell.core_hours.value_or(0));
}

}  // namespace scalelaw
