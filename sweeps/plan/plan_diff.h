// How a sweep's file has changed since its record was last written, by the last `run`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

struct PlanDiff {
  bool has_record = false;         // else nothing was run yet, and every cell is new
  std::vector<std::size_t> added;  // cells of the plan
  std::vector<SweepCell> gone;     // cells of the record; their runs stay in the store
  // Likewise, but provisional cells of the plan may turn out to be these, one each (open_cells.h).
  // Trials too, that an edge asked for.
  std::vector<SweepCell> open;
  int64_t waiting = 0;      // provisional cells of the plan: neither added nor do they stay
  bool waits_anew = false;  // more or fewer of them than in the record
  bool is_same_file = false;
  bool had_waiting = false;  // the record had; of the same file what is new was among them
  bool changes() const {
    return has_record && (!added.empty() || !gone.empty() || (waits_anew && !is_same_file));
  }
  bool is_next_stage() const { return is_same_file && had_waiting && gone.empty(); }
};
PlanDiff diff_of(const Plan& plan);  // ConfigError where the record cannot be read
int64_t staying_cells(const Plan& plan, const PlanDiff& diff);
double waiting_flops(const Plan& plan);  // of provisional cells, at the file's rates

// One line of what stays, is new, waits and is no longer asked for; "" where nothing changes but
// that waiting cells are known now.
std::string diff_line(const Plan& plan, const PlanDiff& diff);
// With each cell that changes: what is new costs so much, and, of several whose folders differ in
// their hashes alone, has so many keys otherwise than the others; what is gone stands so.
std::string diff_text(const Plan& plan, const PlanDiff& diff);

}  // namespace scalelaw
