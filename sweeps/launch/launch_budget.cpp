#include "sweeps/launch/launch_budget.h"

#include <algorithm>
#include <utility>

#include "trainer/config_error.h"

namespace scalelaw {

const std::string& LaunchBudget::check_whole(bool later_stage) {
  try {
    spending_.check_whole();
  } catch (const ConfigError& error) {
    if (!later_stage) throw;
    over_because_ = error.what();
  }
  return over_because_;
}

bool LaunchBudget::has_room_for(const PlannedPack& pack) {
  if (holds(pack)) return false;
  std::string why = spending_.why_not(pack);
  if (why.empty()) return true;
  if (held_because_.empty()) held_because_ = std::move(why);
  held_.insert(pack.begin(), pack.end());
  if (!spending_.has_begun(pack)) holds_all_new_ = true;
  return false;
}

bool LaunchBudget::holds(const PlannedPack& pack) const {
  return held_.contains(pack.front()) || (holds_all_new_ && !spending_.has_begun(pack));
}

PlannedPack LaunchBudget::held_beside() const {
  return held_because_.empty() ? PlannedPack() : spending_.running_elsewhere();
}

void LaunchBudget::ask_again() {
  held_.clear();
  held_because_.clear();
  holds_all_new_ = false;
  spending_.look_at_others(cells_.all());
}

int64_t LaunchBudget::interrupted_and_held() const {
  return std::ranges::count_if(held_,
                               [&](std::size_t cell) { return spending_.is_interrupted(cell); });
}

}  // namespace scalelaw
