#include "sweeps/wall_hours.h"

#include <algorithm>
#include <cstddef>

namespace scalelaw {

void WallHours::add(Stage stage, double device_hours, double process_hours) {
  OfStage& of_stage = stages_[static_cast<std::size_t>(stage)];
  of_stage.device_hours += device_hours;
  of_stage.longest = std::max(of_stage.longest, process_hours);
}

double WallHours::hours() const {
  const bool on_cpu = workers_.device == DeviceKind::kCpu;
  // Processes on one GPU share it, and so do their hours.
  const auto devices = static_cast<double>(on_cpu ? workers_.processes() : workers_.gpus.size());
  double hours = 0;
  for (const OfStage& stage : stages_) {
    hours += std::max(stage.longest, stage.device_hours / devices);
  }
  return hours;
}

}  // namespace scalelaw
