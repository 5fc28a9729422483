#include "sweeps/launch/other_launchers.h"

#include <algorithm>
#include <utility>

#include "sweeps/device/packing.h"
#include "sweeps/plan/reports.h"
#include "trainer/escaped.h"

namespace scalelaw {

bool OtherLaunchers::take_back(SweepCells::Ask ask) {
  const PlannedPack free = cells_.freed_elsewhere(ask);
  if (free.empty()) return false;
  for (PlannedPack& pack : pack_cells(plan_, free)) queue_.add(std::move(pack));
  return queue_.stopped_because().empty();
}

bool OtherLaunchers::leave_some() {
  if (!queue_.stopped_because().empty()) return false;
  if (const std::string holder = cells_.in_doubt(); !holder.empty()) {
    tell("a sign of life from " + escaped(holder) + ", whose runs start here without");
    return true;
  }
  if (cells_.may_come_back()) {
    tell(
        "runs that another launcher gave up a moment ago, which start here where it does not "
        "start them again");
    return true;
  }
  return false;
}

bool OtherLaunchers::are_waited_for() {
  if (leave_some()) return true;
  const auto held = static_cast<int64_t>(cells_.held_elsewhere());
  const auto will_be_told = [](const PlannedCell& cell) {
    return cell.waits != WaitsFor::kNothing && !cell.needs_hand();
  };
  const int64_t waiting = std::ranges::count_if(plan_.cells, will_be_told);
  if (held == 0 || waiting == 0 || !queue_.stopped_because().empty()) return false;
  // The next stage is this launcher's too. Without their number, which falls.
  tell("what other launchers run: " + counted(waiting, "cell") + " here " +
       (waiting == 1 ? "waits" : "wait") + " for what that tells");
  return true;
}

void OtherLaunchers::tell(const std::string& what) {
  if (what != told_) display_.line("waiting for " + what);
  told_ = what;
}

}  // namespace scalelaw
