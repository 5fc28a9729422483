#include "sweeps/plan/wall_hours.h"

#include <algorithm>
#include <cstddef>

namespace scalelaw {

WallHours::WallHours(const PlanOptions& options) {
  constexpr double kSecondsAnHour = 3600;
  const Workers& workers = options.workers;
  const bool on_cpu = workers.device == DeviceKind::kCpu;
  // Processes on one GPU share it, and so do their hours.
  devices_ = static_cast<double>(on_cpu ? workers.processes() : workers.gpus.size());
  if (on_cpu && options.throughput) {
    start_hours_ = options.throughput->start_seconds() / kSecondsAnHour;
  }
}

void WallHours::add(Stage stage, double device_hours, double process_hours,
                    int64_t runs_in_process) {
  const double start = process_hours > 0 ? start_hours_ : 0;
  OfStage& of_stage = stages_[static_cast<std::size_t>(stage)];
  of_stage.device_hours += device_hours + start / static_cast<double>(runs_in_process);
  of_stage.longest = std::max(of_stage.longest, process_hours + start);
}

void WallHours::add_had(Stage stage, double machine_hours) {
  stages_[static_cast<std::size_t>(stage)].machine_hours += machine_hours;
}

double WallHours::hours() const {
  double hours = 0;
  for (const OfStage& stage : stages_) {
    hours += std::max(stage.longest, stage.machine_hours + stage.device_hours / devices_);
  }
  return hours;
}

}  // namespace scalelaw
