// What a launcher says and does when it is asked to stop.
#include "sweeps/launch/launch_stop.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <sstream>

#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"

namespace scalelaw {
namespace {

TEST(LaunchStop, SpeaksOfNoCheckpointsWhereNothingRuns) {
  const TempDir temp;
  const Plan plan = small_plan(temp.path());
  SweepCells cells(plan);
  RunQueue queue({{0}}, {});
  PackProcesses processes(plan, "/no/trainer");
  std::ostringstream shown;
  RunDisplay display(shown, false, {});
  LaunchDisplay lines(plan, cells, processes, display);
  LaunchStop stop(queue, processes, lines);
  stop.take(SIGINT);
  EXPECT_TRUE(stop.interrupted());
  EXPECT_EQ(shown.str(), "stopping\n");
  EXPECT_EQ(queue.next(0), std::nullopt);
}

}  // namespace
}  // namespace scalelaw
