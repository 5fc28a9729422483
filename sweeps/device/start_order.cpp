#include "sweeps/device/start_order.h"

#include <algorithm>
#include <map>
#include <string>

namespace scalelaw {

std::vector<std::size_t> start_order(const Plan& plan, std::vector<std::size_t> cells) {
  if (plan.order == StartOrder::kAsWritten) {
    std::ranges::sort(cells);
    return cells;
  }
  std::map<std::string, double> cheapest;  // arm -> cost
  for (const std::size_t index : cells) {
    const PlannedCell& cell = plan.cells[index];
    const auto [place, inserted] = cheapest.emplace(cell.places.front().arm, cost(cell));
    if (!inserted) place->second = std::min(place->second, cost(cell));
  }
  const auto is_first_rung = [&](const PlannedCell& cell) {
    return plan.order == StartOrder::kSmallestRungFirst &&
           cost(cell) <= 1.05 * cheapest.at(cell.places.front().arm);
  };
  std::stable_sort(cells.begin(), cells.end(), [&](std::size_t a, std::size_t b) {
    const bool first_a = is_first_rung(plan.cells[a]), first_b = is_first_rung(plan.cells[b]);
    if (first_a != first_b) return first_a;
    return cost(plan.cells[a]) > cost(plan.cells[b]);
  });
  return cells;
}

}  // namespace scalelaw
