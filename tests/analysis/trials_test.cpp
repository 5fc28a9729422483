// Trials of a rate that a sweep tunes are no results of it.
#include <gtest/gtest.h>

#include "analysis/study.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

class Trials : public testing::Test {
 protected:
  // Four sizes, and a trial at another rate of the first.
  Trials() {
    std::vector<SyntheticRun> runs;
    for (const int64_t width : {16, 24, 32, 48}) {
      SyntheticRun run;
      run.d_model = width;
      runs.push_back(run);
    }
    runs.push_back(runs.front());
    runs.back().learning_rate = 0.5;
    runs.back().seed = 1001;
    runs.back().folder = "trial";
    sweep_ = write_synthetic_sweep(runs_, "tuned", runs);
    SweepRecord record = read_sweep_record(sweep_);
    record.cells.back().is_trial = true;
    write_sweep_record(sweep_, record);
  }
  TempDir temp_;
  std::filesystem::path runs_ = temp_.path() / "runs", sweep_;
};

TEST_F(Trials, AreLeftOutOfTheSweepAndOfTheStore) {
  for (const std::filesystem::path& path : {sweep_, runs_}) {
    const RunTable table = read_runs({path});
    EXPECT_EQ(table.rows.size(), 4u);
    ASSERT_EQ(table.excluded.size(), 1u) << path;
    EXPECT_EQ(table.excluded[0].folder_name, "trial");
    EXPECT_EQ(table.excluded[0].reason, "a trial of the learning rate");
  }
}

TEST_F(Trials, WarnNobodyAndAreNoneOfTheSweepsRuns) {
  LawOptions options;
  options.bootstrap_replicates = 0;
  const Study study = analyse({sweep_}, options);
  ASSERT_EQ(study.table.sweeps.size(), 1u);
  EXPECT_EQ(study.table.sweeps[0].cells, 4);
  EXPECT_TRUE(study.table.sweeps[0].not_used.empty());
  for (const std::string& warning : study.warnings) {
    EXPECT_EQ(warning.find("left out"), std::string::npos) << warning;
  }
}

}  // namespace
}  // namespace scalelaw
