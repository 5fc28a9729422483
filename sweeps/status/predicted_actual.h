// What a plan predicts of runs, beside what they have taken: of those that are complete on a CPU
// and whose ledgers can be read. Wall and core time are the ledgers'; what was lost with a process
// and trained again is left out.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

// More than so many runs' files are not counted.
inline constexpr int64_t kMostRunsOnDisk = 1000;

struct PredictedActual {
  int64_t runs = 0;
  double predicted_core_seconds = 0, core_seconds = 0, wall_seconds = 0;
  // Of the run that needed most, of those of which both are known; 0: of none.
  double predicted_peak_bytes = 0, peak_bytes = 0;
  // Of their folders, in blocks of the disk; nullopt of more than kMostRunsOnDisk.
  std::optional<double> predicted_bytes, bytes;
};
// `statuses`: of all cells, with their ledgers.
PredictedActual predicted_and_actual(const Plan& plan, const std::vector<CellStatus>& statuses);

// "predicted: 4 min of cores for 20 complete runs, taken by the clock: 5 min (1.2 times); disk:
// ..." and where hours come from, a line each; "" of no run.
std::string predicted_text(const PredictedActual& both, const Plan& plan);
nlohmann::ordered_json predicted_json(const PredictedActual& both, const Plan& plan);

}  // namespace scalelaw
