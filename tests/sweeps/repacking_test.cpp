// When a pack is worth beginning anew without the rows of runs that have ended.
#include "sweeps/launch/repacking.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/temp_dir.h"
#include "tests/sweeps/measured_device.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/clock.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class RepackingTest : public testing::Test {
 protected:
  RepackingTest() {
    PackProcess process;
    for (std::size_t cell = 0; cell < 4; ++cell) process.cells.push_back({cell, 0});
    process.started_at = monotonic_seconds() - 0.02;
    processes_[kPid] = process;
  }

  void end(std::size_t cell) {
    const fs::path folder = run_folder(plan_, plan_.cells[cell]);
    fs::create_directories(folder);
    std::ofstream(folder / "run.json") << "{}";
  }
  // The steps that the four have made a tenth of a second later.
  std::vector<PackToShrink> at_steps(int64_t ended, int64_t training) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    for (std::size_t cell = 0; cell < 4; ++cell) {
      statuses_[cell].step = cell < 3 ? ended : training;
    }
    return repacking_.worth_it(processes_, statuses_);
  }

  static constexpr pid_t kPid = 7;
  TempDir temp_;
  Plan plan_ = small_plan(temp_.path(), "grid: {seeds.init: [1, 2, 3, 4]}");
  std::vector<CellStatus> statuses_ = std::vector<CellStatus>(4);
  std::map<pid_t, PackProcess> processes_;
  Repacking repacking_{plan_};
};

TEST_F(RepackingTest, RowsThatHaveEndedAreLeftWhereTheRestOfTheWayIsLong) {
  for (PlannedCell& cell : plan_.cells) cell.steps = 1000;
  EXPECT_TRUE(at_steps(1, 1).empty());
  EXPECT_TRUE(at_steps(2, 2).empty()) << "all train";
  for (const std::size_t cell : {0, 1, 2}) end(cell);
  EXPECT_TRUE(at_steps(2, 2).empty()) << "nothing new is known";
  const std::vector<PackToShrink> found = at_steps(2, 4);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].process, kPid);
  EXPECT_EQ(found[0].rows, 4);
  EXPECT_EQ(found[0].training, 1);
  // Three tenths of a second for three steps; on a CPU of which nothing was measured a row costs
  // what it computes.
  EXPECT_NEAR(found[0].seconds_saved, 996 * 0.1 * 0.75, 25);
}

TEST_F(RepackingTest, ShortlyBeforeTheEndItIsNotWorthTheNewBeginning) {
  for (PlannedCell& cell : plan_.cells) cell.steps = 6;
  for (const std::size_t cell : {0, 1, 2}) end(cell);
  EXPECT_TRUE(at_steps(1, 1).empty());
  EXPECT_TRUE(at_steps(1, 4).empty());
}

TEST_F(RepackingTest, NobodyIsAskedTwiceAndAPackWithoutAnyLeftEndsByItself) {
  for (PlannedCell& cell : plan_.cells) cell.steps = 1000;
  for (const std::size_t cell : {0, 1, 2}) end(cell);
  EXPECT_TRUE(at_steps(1, 1).empty());
  for (const EndAsked asked : {EndAsked::kForTime, EndAsked::kToRepack}) {
    processes_[kPid].asked_to_end = asked;
    EXPECT_TRUE(at_steps(1, 3).empty());
  }
  processes_[kPid].asked_to_end = EndAsked::kNo;
  end(3);
  EXPECT_TRUE(at_steps(1, 4).empty());
}

TEST_F(RepackingTest, AProcessOfThatIdBeforeSaysNothingOfThisOne) {
  for (PlannedCell& cell : plan_.cells) cell.steps = 1000;
  for (const std::size_t cell : {0, 1, 2}) end(cell);
  EXPECT_TRUE(at_steps(1, 1).empty());
  processes_[kPid].started_at = monotonic_seconds();
  EXPECT_TRUE(at_steps(1, 2).empty());
  EXPECT_EQ(at_steps(1, 3).size(), 1u);
}

TEST_F(RepackingTest, WhatRowsCostIsSaidByTheDevicesLaw) {
  PlanOptions options = plan_.options;
  const PlannedCell& cell = plan_.cells[0];
  EXPECT_NEAR(seconds_of_ended_rows(options, cell, 8, 2, 100, 0.1), 7.5, 0.01);
  EXPECT_EQ(seconds_of_ended_rows(options, cell, 8, 8, 100, 0.1), 0);
  options.workers.device = DeviceKind::kGpu;
  EXPECT_LT(seconds_of_ended_rows(options, cell, 8, 2, 100, 0.1), 2)
      << "as assumed, small rows wait for the launch of kernels and not for each other";
  options.workers.device = DeviceKind::kCpu;
  options.throughput = measured_device("cpu", {16, 32, 64}, {1, 8});
  EXPECT_NEAR(seconds_of_ended_rows(options, cell, 8, 2, 100, 0.1), 0, 0.01) << "as measured";
}

}  // namespace
}  // namespace scalelaw
