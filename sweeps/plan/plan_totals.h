// What a plan's cells come to together, as text and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

struct PlanTotals {
  int64_t cells = 0;
  double tokens = 0, flops = 0;
  double core_hours = 0, gpu_hours = 0;  // one of them
  int64_t devices = 1;                   // cores that have a cell to run at once, or GPUs
  double wall_hours = 0;                 // sweeps/plan/wall_hours.h
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
