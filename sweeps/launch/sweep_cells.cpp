#include "sweeps/launch/sweep_cells.h"

#include <algorithm>

namespace scalelaw {

SweepCells::SweepCells(const Plan& plan)
    : plan_(plan), statuses_(look_at_all(plan)), elsewhere_(plan) {}

int64_t SweepCells::ended() const {
  return std::ranges::count_if(statuses_,
                               [](const CellStatus& each) { return scalelaw::ended(each.state); });
}

std::vector<CellStatus> SweepCells::at_the_end() const {
  std::vector<CellStatus> now = look_at_all(plan_);
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool unended = !scalelaw::ended(now[i].state) && now[i].state != CellState::kRunning;
    if (unended && statuses_[i].state == CellState::kFailed) now[i] = statuses_[i];
  }
  return now;
}

const CellStatus& SweepCells::look(std::size_t cell) {
  return look(cell, {});
}

const CellStatus& SweepCells::look(std::size_t cell, const LaunchNotes& notes) {
  statuses_[cell] = look_at(plan_, plan_.cells[cell], notes);
  if (statuses_[cell].state == CellState::kRunning) elsewhere_.add(cell);
  return statuses_[cell];
}

PlannedPack SweepCells::not_taken(const PlannedPack& pack) {
  // A failure is tried again, whoever noted it; what is too large for memory is not.
  const LaunchNotes notes{{}, read_limits(sweep_folder(plan_.options.runs, plan_.name))};
  PlannedPack left;
  for (const std::size_t cell : pack) {
    const CellStatus& status = look(cell, notes);
    if (status.state != CellState::kRunning && may_start(status)) left.push_back(cell);
  }
  return left;
}

PlannedPack SweepCells::freed_elsewhere(Ask ask) {
  if (ask == Ask::kAtOnce) {
    elsewhere_.look();
  } else {
    elsewhere_.look_now_and_then();
  }
  return not_taken(elsewhere_.take_free());
}

}  // namespace scalelaw
