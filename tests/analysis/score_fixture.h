// A sweep of which runs are held out, registered and ended.
#pragma once

#include <string>
#include <vector>

#include "analysis/predict/registration.h"
#include "analysis/predict/scoring.h"
#include "tests/analysis/predict_fixture.h"
#include "tests/support/program.h"
#include "trainer/cell_exclusion.h"

namespace scalelaw {

class ScoreTest : public PredictTest {
 protected:
  // The ladder with `more` seeds of its largest size, all held out and none begun.
  std::vector<SyntheticRun> ladder_with(int more) const {
    std::vector<SyntheticRun> runs = ladder();
    for (int i = 0; i < more; ++i) {
      runs.push_back(runs[7]);
      runs.back().seed = 2 + i;
    }
    return runs;
  }
  void end(SyntheticRun run, double loss, RunState state = RunState::kComplete) const {
    run.started = true;
    run.started_at = "2999-01-01T00:00:00Z";
    run.loss_nats = loss;
    run.state = state;
    write_synthetic_run(runs_, run);
  }
  HeldOutPredictions registered(const fs::path& record) const {
    HeldOutPredictions found = predict_held_out(record, {});
    register_predictions(found);
    return found;
  }
  static std::string page(const fs::path& file) {
    const ProgramResult result = run_program({"scalelaw-fit", "predict", file.string(), "--score"});
    EXPECT_EQ(result.exit_code, 0);
    return result.output;
  }
  static void exclude(const fs::path& record, const PredictedCell& cell) {
    exclude_cell(record, {cell.content_hash, cell.folder, "a broken GPU", "2026-01-02T03:04:05Z"});
  }
};

}  // namespace scalelaw
