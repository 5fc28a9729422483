#include "sweeps/plan/rate_edges.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

#include "sweeps/tuning/recipe.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr std::size_t kLeastRates = 3;

struct MeanLoss {
  double sum = 0;
  int64_t runs = 0;
  double value() const { return sum / static_cast<double>(runs); }
};

struct RateScan {
  const PlannedCell* cell = nullptr;  // one of them
  std::map<double, MeanLoss> losses;  // rate -> over seeds
};

}  // namespace

std::vector<std::string> rate_edge_warnings(const Plan& plan,
                                            const std::vector<CellStatus>& statuses) {
  DataSetHeaders data(plan.options.data);
  std::map<std::string, RateScan> scans;
  std::map<std::string, double> lowest_diverged;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    if (cell.is_trial) continue;  // tuning tells of its own
    const double rate = cell.config.train.learning_rate;
    if (statuses[i].state == CellState::kDiverged) {
      const auto [place, is_new] = lowest_diverged.emplace(recipe_of(cell.config, data), rate);
      if (!is_new) place->second = std::min(place->second, rate);
    }
    if (statuses[i].state != CellState::kComplete || !statuses[i].loss_nats) continue;
    RateScan& scan = scans[recipe_of(cell.config, data)];
    if (scan.cell == nullptr) scan.cell = &cell;
    MeanLoss& mean = scan.losses[rate];
    mean.sum += *statuses[i].loss_nats;
    ++mean.runs;
  }
  int64_t at_edge = 0, scanned = 0;
  std::string first;
  for (const auto& [recipe, scan] : scans) {
    if (scan.losses.size() < kLeastRates) continue;
    ++scanned;
    auto best = scan.losses.begin();
    for (auto it = scan.losses.begin(); it != scan.losses.end(); ++it) {
      if (it->second.value() < best->second.value()) best = it;
    }
    const bool is_lowest = best == scan.losses.begin();
    const bool is_highest = std::next(best) == scan.losses.end();
    const auto diverged = lowest_diverged.find(recipe);
    const bool is_bounded = diverged != lowest_diverged.end() && diverged->second > best->first;
    if (!is_lowest && (!is_highest || is_bounded)) continue;
    if (++at_edge > 1) continue;
    const ModelShape& shape = scan.cell->shape;
    first = shape.arch + " " + std::to_string(shape.n_layer) + " x " +
            std::to_string(shape.d_model) + ": " + human(best->first) + ", the " +
            (is_lowest ? "lowest" : "highest") + " of " + std::to_string(scan.losses.size());
  }
  if (at_edge == 0) return {};
  return {std::to_string(at_edge) + " of " + std::to_string(scanned) +
          " scans of the learning rate have their best at an edge (" + first +
          "); that is a bound and no optimum: add rates beyond it"};
}

}  // namespace scalelaw
