// Which cell is next, and what the end of an attempt means.
#include "sweeps/run_queue.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace scalelaw {
namespace {

using Cells = std::vector<std::size_t>;

const ProcessEnd kDone{0, 0}, kCrash{1, 0}, kRefused{2, 0}, kStopped{3, 0}, kKilled{0, SIGKILL},
    kSegfault{0, SIGSEGV};

TEST(RunQueue, GivesTheCellsInOrderThenNothing) {
  RunQueue queue({4, 2}, {});
  EXPECT_EQ(queue.next(0), 4u);
  EXPECT_EQ(queue.next(0), 2u);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, CrashesAreRetriedAFixedNumberOfTimes) {
  RunQueue queue({0, 1}, {.retries = 2});
  EXPECT_EQ(queue.next(0), 0u);
  EXPECT_EQ(queue.ended(0, kCrash, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.next(0), 1u) << "another cell first";
  EXPECT_EQ(queue.next(0), 0u);
  EXPECT_EQ(queue.ended(0, kSegfault, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.next(0), 0u);
  EXPECT_EQ(queue.ended(0, kCrash, "boom", false), Verdict::kFailed);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, RefusedRunsAreNotRetried) {
  RunQueue queue({0}, {});
  EXPECT_EQ(queue.ended(*queue.next(0), kRefused, "no", false), Verdict::kFailed);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, RunsOfAnotherProcessAreNoFailureAndAskedAboutAgain) {
  RunQueue queue({0}, {.stop_after = 1});
  EXPECT_EQ(queue.ended(*queue.next(0), kRefused, "in use", true), Verdict::kElsewhere);
  EXPECT_EQ(queue.next(0), std::nullopt);
  EXPECT_EQ(queue.take_elsewhere(), Cells{0});
  EXPECT_EQ(queue.take_elsewhere(), Cells{});
  EXPECT_EQ(queue.stopped_because(), "");
}

TEST(RunQueue, InterruptedRunsWaitForTheNextLaunch) {
  RunQueue queue({0}, {});
  EXPECT_EQ(queue.ended(*queue.next(0), kStopped, "", false), Verdict::kInterrupted);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, EqualFailuresInARowStopTheStarting) {
  RunQueue queue({0, 1, 2, 3}, {.retries = 0, .stop_after = 3});
  queue.ended(*queue.next(0), kCrash, "cannot allocate 100 bytes at 0x7f3a", false);
  queue.ended(*queue.next(0), kCrash, "cannot allocate 2048 bytes at 0x11bc", false);
  EXPECT_EQ(queue.stopped_because(), "");
  queue.ended(*queue.next(0), kCrash, "cannot allocate 7 bytes at 0x7", false);
  EXPECT_NE(queue.stopped_because().find("3 attempts in a row"), std::string::npos);
  EXPECT_EQ(queue.next(0), std::nullopt);
  EXPECT_EQ(queue.waiting(), 1u);
}

TEST(RunQueue, CrashesThatAreRetriedCountAmongTheEqualOnes) {
  std::vector<std::size_t> cells(500);
  std::iota(cells.begin(), cells.end(), 0u);
  RunQueue queue(cells, {.retries = 2, .stop_after = 5});
  int attempts = 0;
  Verdict last = Verdict::kRetry;
  while (const std::optional<std::size_t> cell = queue.next(0)) {
    last = queue.ended(*cell, kCrash, "boom", false);
    ++attempts;
  }
  EXPECT_EQ(attempts, 5);
  EXPECT_EQ(last, Verdict::kFailed) << "nothing may be promised once nothing starts";
}

TEST(RunQueue, HashesAreNumbersWhateverTheyBeginWith) {
  RunQueue queue({0, 1, 2}, {.retries = 0, .stop_after = 3});
  for (const char* hash : {"3fa9c1", "fa93c1", "abcde0"}) {
    queue.ended(*queue.next(0), kCrash, std::string("no shard ") + hash + " here", false);
  }
  EXPECT_NE(queue.stopped_because(), "");
}

TEST(RunQueue, WordsThatDifferAreNoNumbers) {
  RunQueue queue({0, 1}, {.retries = 0, .stop_after = 2});
  queue.ended(*queue.next(0), kCrash, "bad", false);
  queue.ended(*queue.next(0), kCrash, "dead", false);
  EXPECT_EQ(queue.stopped_because(), "");
}

TEST(RunQueue, KilledRunsAreRepeatedOnceAndAlone) {
  RunQueue queue({0, 1, 2}, {.retries = 5});
  EXPECT_EQ(queue.ended(*queue.next(0), kKilled, "", false), Verdict::kRetryAlone);
  EXPECT_EQ(queue.ended(*queue.next(1), kKilled, "", false), Verdict::kRetryAlone);
  EXPECT_EQ(queue.next(1), 2u) << "the others first";
  EXPECT_EQ(queue.next(1), std::nullopt) << "not beside another";
  EXPECT_EQ(queue.waiting(), 2u);
  EXPECT_EQ(queue.next(0), 0u);
  EXPECT_EQ(queue.next(1), std::nullopt) << "one at a time";
  EXPECT_EQ(queue.ended(0, kKilled, "", false), Verdict::kFailed);
  EXPECT_TRUE(queue.was_repeated_alone(0));
  EXPECT_EQ(queue.next(0), 1u);
  EXPECT_EQ(queue.ended(1, kDone, "", false), Verdict::kComplete);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, KilledRunsAreNotRepeatedWithoutRetries) {
  RunQueue queue({0}, {.retries = 0});
  EXPECT_EQ(queue.ended(*queue.next(0), kKilled, "", false), Verdict::kFailed);
  EXPECT_FALSE(queue.was_repeated_alone(0));
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(WithoutOwnNames, LeavesWhatEveryCellSays) {
  PlannedCell one, two;
  one.content_hash = "3fa9c1d20b7e00112233445566778899";
  one.folder = "transformer_l2w64_d2.5M_i1d1-3fa9c1d20b7e";
  two.content_hash = "bca9c1d20b7e00112233445566778899";
  two.folder = "lstm_l2w64_d2.5M_i1d1-bca9c1d20b7e";
  const auto message = [](const PlannedCell& cell) {
    return without_own_names("runs/" + cell.folder + "/lock, then " + cell.folder + " (" +
                                 cell.content_hash + "): cells/" + cell.content_hash.substr(0, 12) +
                                 ".yaml",
                             cell);
  };
  EXPECT_EQ(message(one), "runs/RUN/lock, then RUN (RUN): cells/RUN.yaml");
  EXPECT_EQ(message(two), message(one));
}

TEST(RunQueue, OtherFailuresOrASuccessBetweenDoNotStopTheStarting) {
  RunQueue queue({0, 1, 2, 3, 4, 5}, {.retries = 0, .stop_after = 2});
  queue.ended(*queue.next(0), kCrash, "boom", false);
  queue.ended(*queue.next(0), kDone, "", false);
  queue.ended(*queue.next(0), kCrash, "boom", false);
  queue.ended(*queue.next(0), kCrash, "bang", false);
  queue.ended(*queue.next(0), kRefused, "bang", false);
  EXPECT_EQ(queue.next(0), 5u);
}

TEST(RunQueue, ZeroNeverStops) {
  RunQueue queue({0, 1, 2}, {.retries = 0, .stop_after = 0});
  for (int i = 0; i < 2; ++i) queue.ended(*queue.next(0), kCrash, "boom", false);
  EXPECT_EQ(queue.next(0), 2u);
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
