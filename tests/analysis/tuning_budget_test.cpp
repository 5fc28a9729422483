// How much either arm was tuned, from sweeps of trials of our choosing.
#include "analysis/tuning_budget.h"

#include <gtest/gtest.h>

#include "analysis/study.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

struct TriedRate {
  double rate, loss_nats;
  RunState state = RunState::kComplete;
};

class TuningBudgets : public testing::Test {
 protected:
  // Trials of one width of an arm; results of four widths are added to every sweep.
  void scan(const std::string& arm, int64_t width, const std::vector<TriedRate>& tried) {
    for (const TriedRate& each : tried) {
      SyntheticRun run;
      run.arm = arm;
      run.d_model = width;
      run.seed = 1001;
      run.learning_rate = each.rate;
      run.loss_nats = each.loss_nats;
      run.state = each.state;
      run.folder = "trial" + std::to_string(trials_.size());
      trials_.push_back(run);
    }
  }
  std::filesystem::path sweep() {
    std::vector<SyntheticRun> runs = trials_;
    for (const char* arm : {"a", "b"}) {
      for (const SyntheticRun& run : power_law_runs(arm, 2.4, .1, .003, 5, 1, 3)) {
        runs.push_back(run);
      }
    }
    const std::filesystem::path file = write_synthetic_sweep(temp_.path(), "tuned", runs);
    SweepRecord record = read_sweep_record(file);
    for (std::size_t i = 0; i < trials_.size(); ++i) record.cells[i].is_trial = true;
    write_sweep_record(file, record);
    return file;
  }
  std::vector<RateScan> scans() {
    Selection selection;
    selection.test_set = "default";
    return rate_scans({sweep()}, selection);
  }
  TempDir temp_;
  std::vector<SyntheticRun> trials_;
};

TEST_F(TuningBudgets, AreCountedByArmAndSizeWithTheBestAndItsEdges) {
  scan("a", 16, {{.01, 2.6}, {.02, 2.5}, {.04, 2.55}});
  scan("a", 32, {{.01, 2.3}, {.02, 2.2}, {.04, 2.1}});
  scan("b", 16, {{.01, 2.6}, {.02, 2.5}, {.04, 0, RunState::kDiverged}});
  const std::vector<RateScan> found = scans();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].rates, (std::vector{.01, .02, .04}));
  EXPECT_EQ(found[0].best, .02);
  EXPECT_FALSE(found[0].at_edge);
  EXPECT_EQ(found[1].best, .04);
  EXPECT_TRUE(found[1].at_edge);
  EXPECT_EQ(found[2].best, .02);
  EXPECT_TRUE(found[2].at_edge);  // of what diverges far above nothing between is known
  EXPECT_EQ(tuning_remark(found, "a", "b"),
            "Learning rates were tuned by 6 trials at 2 sizes (3 rates each), the best at an edge "
            "at 1 of a, 3 trials at 1 size (3 rates each), the best at an edge at 1 of b.");
  const std::string warning = tuning_warning(found, "a", "b");
  EXPECT_EQ(warning.find("a and b are tuned unequally (6 and 3 trials)"), 0u) << warning;
  EXPECT_NE(warning.find("the best rate of a lies at an edge of those tried at 1 size"),
            std::string::npos);
}

TEST_F(TuningBudgets, EqualOnesInsideTheirScansWarnNobody) {
  for (const char* arm : {"a", "b"}) {
    scan(arm, 16, {{.01, 2.6}, {.02, 2.5}, {.025, 0, RunState::kDiverged}});
  }
  EXPECT_EQ(tuning_warning(scans(), "a", "b"), "");
}

TEST_F(TuningBudgets, WithoutTrialsNothingIsClaimed) {
  EXPECT_TRUE(scans().empty());
  EXPECT_NE(tuning_remark({}, "a", "b").find("is not known here"), std::string::npos);
  EXPECT_EQ(tuning_warning({}, "a", "b"), "");
}

TEST_F(TuningBudgets, StandInTheComparison) {
  scan("a", 16, {{.01, 2.6}, {.02, 2.5}, {.04, 2.55}});
  LawOptions options;
  options.bootstrap_replicates = 0;
  const Study study = analyse({sweep()}, options);
  ASSERT_EQ(study.comparisons.size(), 1u);
  EXPECT_EQ(study.comparisons[0].remarks.back(),
            "Learning rates were tuned by 3 trials at 1 size (3 rates each) of a, no trials of b.");
  bool warned = false;
  for (const std::string& warning : study.warnings) {
    warned |= warning.find("a and b are tuned unequally (3 and 0 trials)") == 0;
  }
  EXPECT_TRUE(warned);
}

}  // namespace
}  // namespace scalelaw
