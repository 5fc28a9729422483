#include "sweeps/launch/elsewhere.h"

#include <algorithm>
#include <stdexcept>

#include "sweeps/status/cell_status.h"
#include "trainer/clock.h"

namespace scalelaw {

void CellsElsewhere::add(std::size_t cell) {
  watched_.insert_or_assign(cell, Watched{LeaseWatch(run_folder(plan_, plan_.cells[cell]))});
  seconds_between_looks_ = 0;
}

void CellsElsewhere::look_now_and_then() {
  if (monotonic_seconds() - looked_at_ >= seconds_between_looks_) look();
}

void CellsElsewhere::look() {
  looked_at_ = monotonic_seconds();
  seconds_between_looks_ = 1;
  for (auto& [cell, watched] : watched_) {
    try {
      watched.state = watched.lease.look();
      if (watched.state == LeaseState::kStale) {
        end_stale_lease(run_folder(plan_, plan_.cells[cell]), watched.lease.seen());
        watched.comes_back = false;
        watched.state = watched.lease.look();
      }
    } catch (const std::runtime_error&) {
      watched.state = LeaseState::kFree;  // look_at() calls it damaged, and the trainer says why
      watched.comes_back = false;
    }
    if (watched.state == LeaseState::kFree) {
      if (watched.free_since == 0) watched.free_since = looked_at_;
      continue;
    }
    watched.free_since = 0;
    watched.comes_back = true;
    seconds_between_looks_ =
        std::min(seconds_between_looks_, watched.lease.seen().heartbeat_seconds / 2);
  }
}

std::vector<std::size_t> CellsElsewhere::take_free() {
  std::vector<std::size_t> cells;
  for (const auto& [cell, watched] : watched_) {
    const bool is_free = watched.state == LeaseState::kFree &&
                         (has_record(plan_, plan_.cells[cell]) || !may_come_back(watched));
    if (is_free) cells.push_back(cell);
  }
  for (const std::size_t cell : cells) watched_.erase(cell);
  return cells;
}

bool CellsElsewhere::may_come_back(const Watched& watched) const {
  return watched.state == LeaseState::kFree && watched.comes_back &&
         monotonic_seconds() - watched.free_since < seconds_to_come_back_;
}

bool CellsElsewhere::may_come_back() const {
  return std::ranges::any_of(watched_,
                             [this](const auto& entry) { return may_come_back(entry.second); });
}

std::size_t CellsElsewhere::held() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      watched_, [](const auto& entry) { return entry.second.state == LeaseState::kHeld; }));
}

std::string CellsElsewhere::in_doubt() const {
  for (const auto& [cell, watched] : watched_) {
    if (watched.state != LeaseState::kHeld && watched.state != LeaseState::kFree) {
      return watched.lease.seen().holder;
    }
  }
  return "";
}

}  // namespace scalelaw
