// How a sweep's file has changed since its record was last written, by the last `run`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sweeps/cell_status.h"
#include "sweeps/plan.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

struct PlanDiff {
  bool has_record = false;         // else nothing was run yet, and every cell is new
  std::vector<std::size_t> added;  // cells of the plan
  std::vector<SweepCell> gone;     // cells of the record; their runs stay in the store
  bool is_same_file = false;       // then what is new was waiting
  bool changes() const { return has_record && (!added.empty() || !gone.empty()); }
  bool is_next_stage() const { return is_same_file && gone.empty(); }
};
// Of cells that do not wait.
PlanDiff diff_of(const Plan& plan);  // ConfigError where the record cannot be read

// One line of what stays, is new and is no longer asked for; "" where nothing changes but that
// waiting cells are known now.
std::string diff_line(const Plan& plan, const PlanDiff& diff);
// With each cell that changes: what is new costs so much, what is gone stands so.
std::string diff_text(const Plan& plan, const PlanDiff& diff);

}  // namespace scalelaw
