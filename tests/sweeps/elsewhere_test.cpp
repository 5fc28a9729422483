// What a launcher takes of the cells that other processes had, and when.
#include "sweeps/launch/elsewhere.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sweeps/launch/other_launchers.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;
using Cells = std::vector<std::size_t>;

class ElsewhereTest : public testing::Test {
 protected:
  ElsewhereTest() { setenv("SCALELAW_HEARTBEAT_SECONDS", "0.05", 1); }
  ~ElsewhereTest() override { unsetenv("SCALELAW_HEARTBEAT_SECONDS"); }

  fs::path folder(std::size_t cell) const { return run_folder(plan_, plan_.cells[cell]); }
  void hold(std::size_t cell) { held_ = std::make_unique<RunLease>(folder(cell)); }
  Cells taken() {
    elsewhere_.look();
    return elsewhere_.take_free();
  }

  TempDir temp_;
  Plan plan_ = small_plan(temp_.path());
  CellsElsewhere elsewhere_{plan_};
  std::unique_ptr<RunLease> held_;
};

TEST_F(ElsewhereTest, WhatWasGivenUpAMomentAgoIsLeftToItsLauncher) {
  hold(0);
  elsewhere_.add(0);
  EXPECT_EQ(taken(), Cells{});
  EXPECT_EQ(elsewhere_.held(), 1u);
  EXPECT_FALSE(elsewhere_.may_come_back());
  held_.reset();
  EXPECT_EQ(taken(), Cells{}) << "it may be begun anew with fewer runs beside it";
  EXPECT_EQ(elsewhere_.held(), 0u);
  EXPECT_TRUE(elsewhere_.may_come_back());
  hold(0);
  EXPECT_EQ(taken(), Cells{});
  EXPECT_EQ(elsewhere_.held(), 1u) << "as it was";
}

TEST_F(ElsewhereTest, WhatNobodyBeginsAnewIsTakenOnceThatTimeHasPassed) {
  constexpr double kSeconds = 0.1;
  CellsElsewhere elsewhere(plan_, kSeconds);
  hold(0);
  elsewhere.add(0);
  elsewhere.look();
  held_.reset();
  const double start = monotonic_seconds();
  Cells found;
  while (found.empty() && monotonic_seconds() - start < kSecondsToComeBack / 2) {
    elsewhere.look();
    found = elsewhere.take_free();
  }
  EXPECT_EQ(found, Cells{0});
  EXPECT_GE(monotonic_seconds() - start, kSeconds);
  EXPECT_FALSE(elsewhere.may_come_back());
}

TEST_F(ElsewhereTest, ALauncherLooksOnWhileARunMayBeBegunAnewAndSaysSoOnce) {
  SweepCells cells(plan_);
  RunQueue queue({}, {});
  PackProcesses processes(plan_, "/no/trainer");
  std::ostringstream shown;
  RunDisplay display(shown, false, {});
  LaunchDisplay lines(plan_, cells, processes, display);
  OtherLaunchers others(plan_, cells, queue, lines);
  EXPECT_FALSE(others.are_waited_for());
  hold(0);
  cells.look(0);
  EXPECT_FALSE(others.take_back(SweepCells::Ask::kAtOnce));
  EXPECT_FALSE(others.are_waited_for()) << "what is held is left to who has it: no cell waits";
  held_.reset();
  for (int look = 0; look < 2; ++look) {
    EXPECT_FALSE(others.take_back(SweepCells::Ask::kAtOnce));
    EXPECT_TRUE(others.are_waited_for());
  }
  EXPECT_EQ(shown.str(),
            "waiting for runs that another launcher gave up a moment ago, which start here where "
            "it does not start them again\n");
  queue.stop("interrupted");
  EXPECT_FALSE(others.are_waited_for());
}

TEST_F(ElsewhereTest, WhatHasAResultIsTakenNoteOfAtOnce) {
  hold(0);
  elsewhere_.add(0);
  std::ofstream(folder(0) / "run.json") << "{}";
  EXPECT_EQ(taken(), Cells{});
  held_.reset();
  EXPECT_EQ(taken(), Cells{0});
  EXPECT_FALSE(elsewhere_.may_come_back());
}

TEST_F(ElsewhereTest, WhoseProcessIsNoMoreIsTakenOnceThatIsSeen) {
  hold(0);
  held_.reset();
  const fs::path lease = folder(0) / "lease.0001.json";
  nlohmann::json json = nlohmann::json::parse(read_whole_file(lease));
  json["released"] = false;
  json["host"] = "node3";
  std::ofstream(lease) << json;
  elsewhere_.add(0);
  const double start = monotonic_seconds();
  Cells found;
  while (found.empty() && monotonic_seconds() - start < kSecondsToComeBack / 2) found = taken();
  EXPECT_EQ(found, Cells{0});
}

}  // namespace
}  // namespace scalelaw
