// Which cell is next, and what the end of an attempt means.
#include "sweeps/run_queue.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <optional>
#include <vector>

namespace scalelaw {
namespace {

using Cells = std::vector<std::size_t>;

const ProcessEnd kDone{0, 0}, kCrash{1, 0}, kRefused{2, 0}, kStopped{3, 0}, kKilled{0, SIGKILL};

TEST(RunQueue, GivesTheCellsInOrderThenNothing) {
  RunQueue queue({4, 2}, {});
  EXPECT_EQ(queue.next(), 4u);
  EXPECT_EQ(queue.next(), 2u);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(RunQueue, CrashesAreRetriedAFixedNumberOfTimes) {
  RunQueue queue({0, 1}, {.retries = 2});
  EXPECT_EQ(queue.next(), 0u);
  EXPECT_EQ(queue.ended(0, kCrash, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.next(), 1u) << "another cell first";
  EXPECT_EQ(queue.next(), 0u);
  EXPECT_EQ(queue.ended(0, kKilled, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.next(), 0u);
  EXPECT_EQ(queue.ended(0, kCrash, "boom", false), Verdict::kFailed);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(RunQueue, RefusedRunsAreNotRetried) {
  RunQueue queue({0}, {});
  EXPECT_EQ(queue.ended(*queue.next(), kRefused, "no", false), Verdict::kFailed);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(RunQueue, RunsOfAnotherProcessAreNoFailureAndAskedAboutAgain) {
  RunQueue queue({0}, {.stop_after = 1});
  EXPECT_EQ(queue.ended(*queue.next(), kRefused, "in use", true), Verdict::kElsewhere);
  EXPECT_EQ(queue.next(), std::nullopt);
  EXPECT_EQ(queue.take_elsewhere(), Cells{0});
  EXPECT_EQ(queue.take_elsewhere(), Cells{});
  EXPECT_EQ(queue.stopped_because(), "");
}

TEST(RunQueue, InterruptedRunsWaitForTheNextLaunch) {
  RunQueue queue({0}, {});
  EXPECT_EQ(queue.ended(*queue.next(), kStopped, "", false), Verdict::kInterrupted);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(RunQueue, EqualFailuresInARowStopTheStarting) {
  RunQueue queue({0, 1, 2, 3}, {.retries = 0, .stop_after = 3});
  queue.ended(*queue.next(), kCrash, "cannot allocate 100 bytes at 0x7f3a", false);
  queue.ended(*queue.next(), kCrash, "cannot allocate 2048 bytes at 0x11bc", false);
  EXPECT_EQ(queue.stopped_because(), "");
  queue.ended(*queue.next(), kCrash, "cannot allocate 7 bytes at 0x7", false);
  EXPECT_NE(queue.stopped_because().find("3 cells in a row"), std::string::npos);
  EXPECT_EQ(queue.next(), std::nullopt);
  EXPECT_EQ(queue.waiting(), 1u);
}

TEST(RunQueue, OtherFailuresOrASuccessBetweenDoNotStopTheStarting) {
  RunQueue queue({0, 1, 2, 3, 4, 5}, {.retries = 0, .stop_after = 2});
  queue.ended(*queue.next(), kCrash, "boom", false);
  queue.ended(*queue.next(), kDone, "", false);
  queue.ended(*queue.next(), kCrash, "boom", false);
  queue.ended(*queue.next(), kCrash, "bang", false);
  queue.ended(*queue.next(), kRefused, "bang", false);
  EXPECT_EQ(queue.next(), 5u);
}

TEST(RunQueue, ZeroNeverStops) {
  RunQueue queue({0, 1, 2}, {.retries = 0, .stop_after = 0});
  for (int i = 0; i < 2; ++i) queue.ended(*queue.next(), kCrash, "boom", false);
  EXPECT_EQ(queue.next(), 2u);
}

PlannedCell cell(const std::string& arm, double flops) {
  PlannedCell planned;
  planned.places = {{arm, "b"}};
  planned.train_flops = flops;
  return planned;
}

TEST(StartOrder, SmallestRungOfEachArmFirstThenLongestFirst) {
  Plan plan;
  plan.cells = {cell("a", 10), cell("a", 40), cell("a", 20), cell("b", 50),
                cell("b", 15), cell("a", 10), cell("b", 30)};
  EXPECT_EQ(start_order(plan, {0, 1, 2, 3, 4, 5, 6}), (Cells{4, 0, 5, 3, 1, 6, 2}));
  EXPECT_EQ(start_order(plan, {1, 2, 3}), (Cells{3, 2, 1}))
      << "b's only one, a's cheapest, then the rest";
}

}  // namespace
}  // namespace scalelaw
