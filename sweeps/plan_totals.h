// What a plan's cells come to together, as text and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/cell_status.h"
#include "sweeps/plan.h"

namespace scalelaw {

struct PlanTotals {
  int64_t cells = 0;
  double tokens = 0, flops = 0, core_hours = 0;
  int64_t cores = 1;  // that have a cell to run at once
  // On this machine: an even share for each core, at least the longest cell. nullopt on a GPU.
  std::optional<double> wall_hours;
  std::optional<double> price;  // of the whole machine for so long, where its price is told
};

// Of all cells, or of those that may start by `statuses`.
PlanTotals plan_totals(const Plan& plan, const std::vector<CellStatus>& statuses,
                       bool only_missing);

// "20 cells, 50M tokens, 2.1e13 FLOPs (exact_causal), 4 min of one core, about 2 min on 2 cores,
// 0.0113 for this machine at 0.34 an hour"
std::string totals_text(const PlanTotals& totals, const Plan& plan);
nlohmann::ordered_json totals_json(const PlanTotals& totals);

}  // namespace scalelaw
