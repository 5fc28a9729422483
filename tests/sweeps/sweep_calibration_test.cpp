// `scalelaw sweep plan --calibrate` as a user meets it, with a script in place of the trainer.
#include "tests/sweeps/sweep_program_fixture.h"
#include "trainer/attempt_cost.h"
#include "trainer/clock.h"

namespace scalelaw {
namespace {

class SweepCalibration : public SweepProgram {
 protected:
  SweepCalibration() {
    set_cache_home(cache_);
    write_spec("[1, 2]");
    const fs::path script = temp_.path() / "trainer";
    std::ofstream(script) << "#!/bin/sh\necho ready\nread begin\n"
                             "echo '{\"step_cpu_seconds_median\": 0.5}'\n";
    fs::permissions(script, fs::perms::owner_all);
    calibrate_ = {"--device", "cpu", "--jobs", "2", "--calibrate", "--trainer", script.string()};
  }
  ~SweepCalibration() override { set_cache_home("/dev/null/no-cache"); }

  std::string plan(const std::vector<std::string>& more = {}) const {
    const ProgramResult result = run_program(command("plan", more));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result.output;
  }
  fs::path kept() const {
    const fs::path folder = cache_ / "scalelaw" / "devices";
    return fs::exists(folder) ? fs::directory_iterator(folder)->path() : fs::path();
  }

  fs::path cache_ = temp_.path() / "cache";
  std::vector<std::string> calibrate_;
};

constexpr const char* kStated = "one core: time at a stated 30 GFLOP/s";

TEST_F(SweepCalibration, LaterPlansAndRunsUseWhatWasMeasured) {
  EXPECT_NE(plan().find(kStated), std::string::npos);
  const std::string measured = plan(calibrate_);
  EXPECT_EQ(measured.find("warning"), std::string::npos) << measured;
  const std::string source = ", measured 20";
  EXPECT_NE(measured.find(source), std::string::npos) << measured;
  ASSERT_TRUE(fs::exists(kept()));
  const std::string later = plan({"--device", "cpu", "--jobs", "2"});
  EXPECT_EQ(later, measured);
  EXPECT_NE(later.find(kept().string()), std::string::npos) << later;
  EXPECT_NE(plan({"--flops-per-second", "30G"}).find(kStated), std::string::npos);
  EXPECT_EQ(run().exit_code, 0);
  for (const std::size_t cell : {0, 1}) {  // what the stand-in does not write
    const RunFolder folder{runs_ / folder_of(cell)};
    CostBook(folder, {}, 32, {.cores = 1}, monotonic_seconds() - 60).close("complete");
  }
  const ProgramResult run = this->run();
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_NE(run.output.find("predicted: "), std::string::npos) << run.output;
  EXPECT_NE(run.output.find(source), std::string::npos) << run.output;
  const ProgramResult status = run_program(command("status"));
  EXPECT_NE(status.output.find("2 complete runs, taken by the clock: 2 min"), std::string::npos)
      << status.output;
}

TEST_F(SweepCalibration, ADevicesFileWinsAndADamagedCacheIsAWarning) {
  plan(calibrate_);
  const fs::path file = temp_.path() / "device.yaml";
  fs::copy_file(kept(), file);
  EXPECT_NE(plan({"--device-file", file.string()}).find("(" + file.string() + ")"),
            std::string::npos);
  std::ofstream(kept()) << "rows: [";
  const std::string text = plan({"--device", "cpu"});
  EXPECT_NE(text.find("warning: what --calibrate has kept is left aside: "), std::string::npos)
      << text;
  EXPECT_NE(text.find(kStated), std::string::npos) << text;
  EXPECT_EQ(run_program(command("plan", {"--calibrate", "--device-file", file.string()})).exit_code,
            2);
}

TEST_F(SweepCalibration, WithoutAPlaceToKeepItTheHoursAreThisPlans) {
  set_cache_home("/dev/null/no-cache");
  const std::string text = plan(calibrate_);
  EXPECT_NE(text.find("warning: what was measured is not kept: "), std::string::npos) << text;
  EXPECT_NE(text.find("(not kept)"), std::string::npos) << text;
  EXPECT_NE(plan().find(kStated), std::string::npos);
}

TEST_F(SweepCalibration, WhatCannotBeMeasuredOrPaidIsRefused) {
  const auto refused = [&](const std::vector<std::string>& more, const std::string& says) {
    const ProgramResult result = run_program(command("plan", more));
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find(says), std::string::npos) << result.output;
  };
  refused({"--calibrate", "--trainer", (temp_.path() / "none").string()}, "no such program");
  refused({"--calibrate-seconds", "5"}, "--calibrate");
  refused({"--calibrate", "--gpus", "2"}, "plans for GPUs elsewhere; calibrate on a machine");
  refused({"--calibrate", "--calibrate-seconds", "0"}, "--calibrate-seconds");
  refused({"--price-per-hour", "much"}, "--price-per-hour much: must be a number > 0, as 0.34");
}

}  // namespace
}  // namespace scalelaw
