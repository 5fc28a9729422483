#include "sweeps/status/work_left.h"

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
  work.ended({0, 50}, 100);
  const auto seconds = work.seconds(statuses, {{1, 25}}, 10);
  ASSERT_TRUE(seconds);
  EXPECT_DOUBLE_EQ(*seconds, (0.5 + 4) / (0.5 + 1) * 10);
}

TEST(WorkLeft, CountsTheStepsThatWereDoneHoweverTheirRunEnded) {
  const Plan plan = three_cells();
  WorkLeft work(plan);
  std::vector<CellStatus> statuses(3);
  statuses[0].state = CellState::kDiverged;
  work.ended({0, 0}, 1);
  statuses[1].state = CellState::kInterrupted;
  statuses[1].step = 80;
  work.ended({1, 10}, 90);  // 10 of them after the last checkpoint
  const auto seconds = work.seconds(statuses, {}, 10);
  ASSERT_TRUE(seconds);
  EXPECT_DOUBLE_EQ(*seconds, (0.4 + 4) / (0.01 + 1.6) * 10);
}

TEST(WorkLeft, FailedAndDivergedCellsAreNotWaitedFor) {
  const Plan plan = three_cells();
  WorkLeft work(plan);
  std::vector<CellStatus> statuses(3);
  statuses[0].state = CellState::kComplete;
  statuses[1].state = CellState::kFailed;
  statuses[2].state = CellState::kDiverged;
  work.ended({0, 0}, 100);
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
  work.ended({0, 0}, 100);
  const auto seconds = work.seconds(statuses, {}, 10);
  ASSERT_TRUE(seconds);
  EXPECT_DOUBLE_EQ(*seconds, 20);
}

// Of 100 steps, 1000 tokens and 1, 2 and 4 TFLOPs, with the first two in progress.
struct Present {
  Plan plan = three_cells();
  std::vector<CellStatus> statuses{3};

  Present() {
    for (PlannedCell& cell : plan.cells) cell.train_tokens = 1000;
    statuses[0].state = statuses[1].state = CellState::kRunning;
    statuses[0].step = 50;
    statuses[1].step = 25;
    statuses[0].tokens_per_second = 10;
    statuses[1].tokens_per_second = 20;
  }
};

TEST(PresentWork, DividesAllThatIsLeftByWhatTheRunningOnesDoNow) {
  const Present now;
  const PresentWork work = present_work(now.plan, now.statuses);
  EXPECT_EQ(work.running, 2);
  EXPECT_EQ(work.tokens_per_second, 30);
  // 1 GFLOP and 2 GFLOPs a token; 0.5, 1.5 and 4 TFLOPs left.
  EXPECT_DOUBLE_EQ(work.flops_per_second.value(), 10 * 1e9 + 20 * 2e9);
  EXPECT_DOUBLE_EQ(work.flops_left.value(), 6e12);
  EXPECT_DOUBLE_EQ(work.tokens_left, 500 + 750 + 1000);
  EXPECT_DOUBLE_EQ(work.seconds_left.value(), 6e12 / 50e9);
  EXPECT_EQ(
      work_text(now.plan, work),
      "now: 30 tokens/s, 50B FLOP/s; time left: about 2 min, for 6e12 FLOPs (exact_causal)\n");
}

TEST(PresentWork, IsNoShorterThanTheLongestRun) {
  Present now;
  now.statuses[2].state = CellState::kComplete;
  now.statuses[0].tokens_per_second = 0.5;
  EXPECT_DOUBLE_EQ(present_work(now.plan, now.statuses).seconds_left.value(), 500 / 0.5);
}

TEST(PresentWork, TakesARunThatHasNotSpokenYetForAsFastAsTheOthers) {
  Present now;
  now.statuses[2].state = CellState::kRunning;
  const PresentWork work = present_work(now.plan, now.statuses);
  EXPECT_EQ(work.tokens_per_second, 30);
  EXPECT_DOUBLE_EQ(work.seconds_left.value(), 6e12 / (50e9 * 3 / 2));
}

TEST(PresentWork, IsUnknownWhereNothingRunsAndNothingWhereNothingIsLeft) {
  Present now;
  for (CellStatus& status : now.statuses) status.state = CellState::kInterrupted;
  PresentWork work = present_work(now.plan, now.statuses);
  EXPECT_FALSE(work.seconds_left);
  EXPECT_EQ(work_text(now.plan, work),
            "now: nothing runs; time left: -, for 6e12 FLOPs (exact_causal)\n");
  now.plan.options.workers.jobs = 2;
  for (PlannedCell& cell : now.plan.cells) cell.core_hours = 2;
  work = present_work(now.plan, now.statuses);  // 1, 1.5 and 2 hours are left
  EXPECT_DOUBLE_EQ(work.planned_seconds_left.value(), 3600 * 4.5 / 2);
  EXPECT_EQ(work_text(now.plan, work),
            "now: nothing runs; time left: about 2.2 h by the plan, when it runs, for 6e12 FLOPs "
            "(exact_causal)\n");
  now.statuses[0].state = now.statuses[1].state = CellState::kComplete;
  EXPECT_DOUBLE_EQ(present_work(now.plan, now.statuses).planned_seconds_left.value(), 3600 * 2);
  now.plan.options.workers.device = DeviceKind::kGpu;
  EXPECT_FALSE(present_work(now.plan, now.statuses).planned_seconds_left);
  for (CellStatus& status : now.statuses) status.state = CellState::kFailed;
  work = present_work(now.plan, now.statuses);
  EXPECT_FALSE(work.seconds_left);
  EXPECT_EQ(work_text(now.plan, work), "");
}

TEST(PresentWork, CountsTokensWhereThereAreNoFlops) {
  Present now;
  for (PlannedCell& cell : now.plan.cells) cell.train_flops.reset();
  const PresentWork work = present_work(now.plan, now.statuses);
  EXPECT_FALSE(work.flops_per_second);
  EXPECT_FALSE(work.flops_left);
  EXPECT_DOUBLE_EQ(work.seconds_left.value(), 2250.0 / 30);
  EXPECT_EQ(work_text(now.plan, work),
            "now: 30 tokens/s, - FLOP/s; time left: about 75 s, for 2.25k tokens\n");
}

}  // namespace
}  // namespace scalelaw
