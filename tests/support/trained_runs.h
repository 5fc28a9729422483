// Run folders of a plan as training would leave them, every file of them: they pass
// `scalelaw runs verify`. Written through trainer/run_record.h; nothing is trained.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "sweeps/plan/plan.h"

namespace scalelaw {

// A sweep file of `cells` runs, two sizes of two architectures over seeds, on the set "tiny" of
// tests/support/tiny_data_set.h.
std::string many_runs_spec(int64_t cells);

struct TrainedRuns {
  int64_t metrics_lines = 40;
  int64_t test_windows = 64;
  bool checkpoints = true;
};
// Completes every cell of the plan and writes the sweep's record.
void write_trained_runs(const Plan& plan, const TrainedRuns& options = {});

}  // namespace scalelaw
