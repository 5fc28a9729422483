#include "sweeps/work_left.h"

#include <algorithm>

namespace scalelaw {
namespace {

double cost_of_steps(const PlannedCell& cell, int64_t steps) {
  const double share =
      static_cast<double>(steps) / static_cast<double>(std::max<int64_t>(1, cell.steps));
  return cost(cell) * std::clamp(share, 0.0, 1.0);
}

bool needs_work(CellState state) {
  return !ended(state) && state != CellState::kFailed;
}

}  // namespace

void WorkLeft::completed(const CellInProgress& ended) {
  const PlannedCell& cell = plan_.cells[ended.cell];
  completed_here_ += cost_of_steps(cell, cell.steps - ended.first_step);
}

std::optional<double> WorkLeft::seconds(const std::vector<CellStatus>& statuses,
                                        const std::vector<CellInProgress>& running,
                                        double elapsed_seconds) const {
  double done = completed_here_, left = 0;
  for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
    const PlannedCell& cell = plan_.cells[i];
    if (needs_work(statuses[i].state)) left += cost_of_steps(cell, cell.steps - statuses[i].step);
  }
  for (const CellInProgress& each : running) {
    done += cost_of_steps(plan_.cells[each.cell], statuses[each.cell].step - each.first_step);
  }
  if (done <= 0 || elapsed_seconds < 1) return std::nullopt;
  return left / done * elapsed_seconds;
}

}  // namespace scalelaw
