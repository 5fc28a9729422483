#include "sweeps/work_left.h"

#include <gtest/gtest.h>

namespace scalelaw {
namespace {

// Three cells of 100 steps that cost 1, 2 and 4 TFLOPs.
Plan three_cells() {
  Plan plan;
  for (const double flops : {1e12, 2e12, 4e12}) {
    PlannedCell cell;
    cell.steps = 100;
    cell.train_flops = flops;
    plan.cells.push_back(cell);
  }
  return plan;
}

TEST(WorkLeft, IsUnknownBeforeAnythingWasDone) {
  const Plan plan = three_cells();
  const WorkLeft work(plan);
  const std::vector<CellStatus> statuses(3);
  EXPECT_FALSE(work.seconds(statuses, {}, 10));
  EXPECT_FALSE(work.seconds(statuses, {{0, 0}}, 10));
}

TEST(WorkLeft, FollowsFromWhatThisLauncherDid) {
  const Plan plan = three_cells();
  WorkLeft work(plan);
  std::vector<CellStatus> statuses(3);
  statuses[0].state = CellState::kComplete;
  statuses[0].step = 100;
  statuses[1].state = CellState::kRunning;
  statuses[1].step = 75;
  // Half of the first cell and a quarter of the second were done before: 0.5 + 1 TFLOPs in 10 s;
  // 0.5 of the second and all 4 of the third are left.
  work.completed({0, 50});
  const auto seconds = work.seconds(statuses, {{1, 25}}, 10);
  ASSERT_TRUE(seconds);
  EXPECT_DOUBLE_EQ(*seconds, (0.5 + 4) / (0.5 + 1) * 10);
}

TEST(WorkLeft, FailedAndDivergedCellsAreNotWaitedFor) {
  const Plan plan = three_cells();
  WorkLeft work(plan);
  std::vector<CellStatus> statuses(3);
  statuses[0].state = CellState::kComplete;
  statuses[1].state = CellState::kFailed;
  statuses[2].state = CellState::kDiverged;
  work.completed({0, 0});
  const auto seconds = work.seconds(statuses, {}, 10);
  ASSERT_TRUE(seconds);
  EXPECT_EQ(*seconds, 0);
}

TEST(WorkLeft, CountsTokensWhereThereAreNoFlops) {
  Plan plan = three_cells();
  for (PlannedCell& cell : plan.cells) {
    cell.train_flops.reset();
    cell.train_tokens = 1000;
  }
  WorkLeft work(plan);
  std::vector<CellStatus> statuses(3);
  statuses[0].state = CellState::kComplete;
  work.completed({0, 0});
  const auto seconds = work.seconds(statuses, {}, 10);
  ASSERT_TRUE(seconds);
  EXPECT_DOUBLE_EQ(*seconds, 20);
}

}  // namespace
}  // namespace scalelaw
