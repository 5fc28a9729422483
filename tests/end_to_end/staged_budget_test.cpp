// A budget that a sweep's runs pass between two stages, since they take longer than was said.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/attempt_cost.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class StagedBudget : public testing::Test {
 protected:
  StagedBudget() {
    write_tiny_data_set(temp_.path() / "data", {.val_tokens = 1024});
    fs::create_directories(temp_.path() / "scalelaw");
    std::ofstream(temp_.path() / "scalelaw/profiles.yaml") << "fast: {flops_per_second: 3000G}\n";
    setenv("XDG_CONFIG_HOME", temp_.path().c_str(), 1);
  }
  ~StagedBudget() override { unsetenv("XDG_CONFIG_HOME"); }

  ProgramResult run(const std::string& device_hours) const {
    const fs::path file = temp_.path() / "s.yaml";
    std::ofstream(file) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                           "horizon: {tokens: 20k}\n"
                           "model: {n_layer: 1, d_model: 16, n_head: 2, n_ctx: 16}\n"
                           "train: {batch_tokens: 64}\nevaluate: {tokens: 64}\n"
                           "tune: {learning_rate: {factors: [0.5, 1, 2], extend_at_edge: 0}}\n"
                           "budget: {device_hours: "
                        << device_hours << "}\n";
    const std::string store = (temp_.path() / "runs").string(),
                      data = (temp_.path() / "data").string();
    return run_program({"scalelaw-sweep", "run", file.string(), "--runs", store, "--data", data,
                        "--profile", "fast", "--device", "cpu", "--jobs", "2"});
  }

  TempDir temp_;
};

// Three trials in two processes, and then the run that waited for them, in one.
TEST_F(StagedBudget, RunsNoteWithHowManyProcessesTheySharedTheMachine) {
  EXPECT_EQ(run("1").exit_code, 0);
  std::multiset<int64_t> on_machine;
  for (const auto& entry : fs::directory_iterator(temp_.path() / "runs")) {
    for (const AttemptCost& cost : read_costs({entry.path()})) {
      EXPECT_EQ(cost.company.on_gpu, 1) << entry.path();
      on_machine.insert(cost.company.on_machine);
    }
  }
  EXPECT_EQ(on_machine, (std::multiset<int64_t>{1, 2, 2, 2}));
}

TEST_F(StagedBudget, EndsInOrderAndALargerOneGoesOn) {
  const ProgramResult passed = run("1e-6");
  EXPECT_EQ(passed.exit_code, 3) << passed.output;
  EXPECT_NE(passed.output.find("s: 1 missing, 3 complete"), std::string::npos) << passed.output;
  EXPECT_NE(passed.output.find("nothing more was started: "), std::string::npos) << passed.output;
  EXPECT_NE(passed.output.find("Raise the budget first.\nGo on with:\n"), std::string::npos)
      << passed.output;
  const ProgramResult raised = run("1");
  EXPECT_EQ(raised.exit_code, 0) << raised.output;
  EXPECT_NE(raised.output.find("s: 4 complete"), std::string::npos) << raised.output;
}

}  // namespace
}  // namespace scalelaw
