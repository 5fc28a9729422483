#include "sweeps/tuning/what_is_known.h"

#include <algorithm>
#include <memory>
#include <set>

#include "sweeps/status/cell_status.h"
#include "sweeps/status/run_index.h"

namespace scalelaw {
namespace {

std::set<std::string> known_cells(const Plan& plan) {
  std::set<std::string> hashes;
  for (const PlannedCell& cell : plan.cells) {
    if (cell.waits == WaitsFor::kNothing) hashes.insert(cell.content_hash);
  }
  return hashes;
}

}  // namespace

TrialEnds trial_ends(const PlanOptions& options, const std::string& sweep_name) {
  const auto index = std::make_shared<RunIndex>(options.runs);
  const auto place = std::make_shared<Plan>();
  place->name = sweep_name;
  place->options = options;
  return [index, place](const PlannedCell& trial) -> std::optional<TrialEnd> {
    const CellStatus status = look_at(*place, trial, {}, index.get());
    TrialEnd end;
    end.left_out = status.state == CellState::kExcluded;
    end.diverged = status.state == CellState::kDiverged;
    end.loss_nats = status.loss_nats.value_or(0);
    if (end.left_out || end.diverged) return end;
    if (status.state == CellState::kComplete && status.loss_nats) return end;
    return std::nullopt;
  };
}

int64_t waiting_cells(const Plan& plan) {
  return std::ranges::count_if(
      plan.cells, [](const PlannedCell& cell) { return cell.waits != WaitsFor::kNothing; });
}

int64_t provisional_cells(const Plan& plan) {
  return std::ranges::count_if(plan.cells, &PlannedCell::is_provisional);
}

bool know_the_same(const Plan& a, const Plan& b) {
  return waiting_cells(a) == waiting_cells(b) && known_cells(a) == known_cells(b);
}

}  // namespace scalelaw
