// Which cell is next, and what the end of an attempt means.
#include "sweeps/launch/run_queue.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace scalelaw {
namespace {

using Cells = std::vector<std::size_t>;

const ProcessEnd kDone{0, 0}, kCrash{1, 0}, kRefused{2, 0}, kStopped{3, 0}, kKilled{0, SIGKILL},
    kSegfault{0, SIGSEGV};

std::vector<PlannedPack> single_cells(std::size_t count) {
  std::vector<PlannedPack> cells;
  for (std::size_t i = 0; i < count; ++i) cells.push_back({i});
  return cells;
}

TEST(RunQueue, GivesTheCellsInOrderThenNothing) {
  RunQueue queue({{4}, {2}}, {});
  EXPECT_EQ(queue.next(0), Cells{4});
  EXPECT_EQ(queue.next(0), Cells{2});
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, CrashesAreRetriedAFixedNumberOfTimes) {
  RunQueue queue({{0}, {1}}, {.retries = 2});
  EXPECT_EQ(queue.next(0), Cells{0});
  EXPECT_EQ(queue.ended({0}, kCrash, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.next(0), Cells{1}) << "another cell first";
  EXPECT_EQ(queue.next(0), Cells{0});
  EXPECT_EQ(queue.ended({0}, kSegfault, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.next(0), Cells{0});
  EXPECT_EQ(queue.ended({0}, kCrash, "boom", false), Verdict::kFailed);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, RefusedRunsAreNotRetried) {
  RunQueue queue({{0}}, {});
  EXPECT_EQ(queue.ended(*queue.next(0), kRefused, "no", false), Verdict::kFailed);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, RunsOfAnotherProcessAreNoFailure) {
  RunQueue queue({{0}}, {.stop_after = 1});
  EXPECT_EQ(queue.next(0), PlannedPack{0});
  EXPECT_EQ(queue.ended({}, kRefused, "in use", true), Verdict::kElsewhere);
  EXPECT_EQ(queue.next(0), std::nullopt);
  EXPECT_EQ(queue.stopped_because(), "");
}

TEST(RunQueue, InterruptedRunsWaitForTheNextLaunch) {
  RunQueue queue({{0}}, {});
  EXPECT_EQ(queue.ended(*queue.next(0), kStopped, "", false), Verdict::kInterrupted);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, RunsThatFailTheSameWayStopTheStarting) {
  RunQueue queue({{0}, {1}, {2}, {3}}, {.retries = 0, .stop_after = 3});
  queue.ended(*queue.next(0), kCrash, "cannot allocate 100 bytes at 0x7f3a", false);
  queue.ended(*queue.next(0), kCrash, "cannot allocate 2048 bytes at 0x11bc", false);
  EXPECT_EQ(queue.stopped_because(), "");
  queue.ended(*queue.next(0), kCrash, "cannot allocate 7 bytes at 0x7", false);
  EXPECT_NE(queue.stopped_because().find("3 runs failed the same way"), std::string::npos);
  EXPECT_EQ(queue.next(0), std::nullopt);
  EXPECT_EQ(queue.waiting(), 1u);
}

TEST(RunQueue, CrashesThatAreRetriedCountAmongTheEqualOnes) {
  RunQueue queue(single_cells(500), {.retries = 2, .stop_after = 5});
  int attempts = 0;
  Verdict last = Verdict::kRetry;
  while (const std::optional<PlannedPack> cell = queue.next(0)) {
    last = queue.ended(*cell, kCrash, "boom", false);
    ++attempts;
  }
  EXPECT_EQ(attempts, 5);
  EXPECT_EQ(last, Verdict::kFailed) << "nothing may be promised once nothing starts";
}

TEST(RunQueue, HashesAreNumbersWhateverTheyBeginWith) {
  RunQueue queue({{0}, {1}, {2}}, {.retries = 0, .stop_after = 3});
  for (const char* hash : {"3fa9c1", "fa93c1", "abcde0"}) {
    queue.ended(*queue.next(0), kCrash, std::string("no shard ") + hash + " here", false);
  }
  EXPECT_NE(queue.stopped_because(), "");
}

TEST(RunQueue, WordsThatDifferAreNoNumbers) {
  RunQueue queue({{0}, {1}}, {.retries = 0, .stop_after = 2});
  queue.ended(*queue.next(0), kCrash, "bad", false);
  queue.ended(*queue.next(0), kCrash, "dead", false);
  EXPECT_EQ(queue.stopped_because(), "");
}

TEST(RunQueue, KilledRunsAreRepeatedOnceAndAlone) {
  RunQueue queue({{0}, {1}, {2}}, {.retries = 5});
  EXPECT_EQ(queue.ended(*queue.next(0), kKilled, "", false), Verdict::kRetryAlone);
  EXPECT_EQ(queue.ended(*queue.next(1), kKilled, "", false), Verdict::kRetryAlone);
  EXPECT_EQ(queue.next(1), Cells{2}) << "the others first";
  EXPECT_EQ(queue.next(1), std::nullopt) << "not beside another";
  EXPECT_EQ(queue.waiting(), 2u);
  EXPECT_EQ(queue.next(0), Cells{0});
  EXPECT_EQ(queue.next(1), std::nullopt) << "one at a time";
  EXPECT_EQ(queue.ended({0}, kKilled, "", false), Verdict::kFailed);
  EXPECT_TRUE(queue.was_repeated_alone(0));
  EXPECT_EQ(queue.next(0), Cells{1});
  EXPECT_EQ(queue.ended({}, kDone, "", false), Verdict::kComplete);
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, KilledRunsAreNotRepeatedWithoutRetries) {
  RunQueue queue({{0}}, {.retries = 0});
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

TEST(RunQueue, OtherFailuresAndSuccessesBetweenThemHideNoEqualOnes) {
  RunQueue queue({{0}, {1}, {2}, {3}, {4}}, {.retries = 0, .stop_after = 2});
  queue.ended(*queue.next(0), kCrash, "boom", false);
  queue.ended({}, kDone, "", false);
  queue.no_longer_failing(*queue.next(0));
  queue.ended(*queue.next(0), kRefused, "boom", false);
  EXPECT_EQ(queue.stopped_because(), "") << "refused is another failure than crashed";
  queue.ended(*queue.next(0), kCrash, "boom", false);
  EXPECT_NE(queue.stopped_because(), "");
}

TEST(RunQueue, ARunThatFailsOftenCountsOnceAndOneThatCompletesInTheEndNotAtAll) {
  RunQueue queue({{0}, {1}, {2}}, {.retries = 1, .stop_after = 2});
  EXPECT_EQ(queue.ended(*queue.next(0), kCrash, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.next(0), Cells{1});
  EXPECT_EQ(queue.next(0), Cells{2});
  EXPECT_EQ(queue.ended(*queue.next(0), kCrash, "boom", false), Verdict::kFailed);
  EXPECT_EQ(queue.stopped_because(), "");
  queue.no_longer_failing({0});
  EXPECT_EQ(queue.ended({1}, kCrash, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.ended({2}, kCrash, "boom", false), Verdict::kFailed);
  EXPECT_NE(queue.stopped_because(), "");
}

// A sweep of single cells with `jobs` at a time, which end in the order in which they were started.
struct Simulated {
  int attempts = 0, failures = 0, complete = 0;
};
template <typename Fate>
Simulated simulate(RunQueue& queue, std::size_t jobs, const Fate& fate) {
  Simulated seen;
  std::map<std::size_t, int> attempts;
  std::deque<std::size_t> running;
  while (true) {
    while (running.size() < jobs) {
      const std::optional<PlannedPack> next = queue.next(running.size());
      if (!next) break;
      running.push_back(next->front());
    }
    if (running.empty()) return seen;
    const std::size_t cell = running.front();
    running.pop_front();
    ++seen.attempts;
    const ProcessEnd end = fate(cell, ++attempts[cell]);
    if (end == kDone) {
      ++seen.complete;
      queue.no_longer_failing({cell});
      queue.ended({}, kDone, "", false);
    } else {
      ++seen.failures;
      queue.ended({cell}, end, "boom", false);
    }
  }
}

TEST(RunQueue, ABrokenArmAmongHealthyOnesIsNotPaidForToItsEnd) {
  for (const std::size_t jobs : {1, 4}) {
    for (const ProcessEnd& fault : {kCrash, kKilled}) {
      RunQueue queue(single_cells(60), {});
      const Simulated seen = simulate(
          queue, jobs, [&](std::size_t cell, int) { return cell % 2 == 1 ? fault : kDone; });
      EXPECT_NE(queue.stopped_because().find("5 runs failed the same way"), std::string::npos);
      EXPECT_LE(seen.failures, 5 * 2 + 3) << jobs << " jobs, signal " << fault.signal;
    }
  }
}

TEST(RunQueue, RareCrashesThatTheirRetryMendsStopNoLongSweep) {
  for (const std::size_t jobs : {1, 16}) {
    for (const ProcessEnd& fault : {kCrash, kKilled}) {
      RunQueue queue(single_cells(10'000), {});
      const Simulated seen = simulate(queue, jobs, [&](std::size_t cell, int attempt) {
        return cell % 500 == 7 && attempt == 1 ? fault : kDone;
      });
      EXPECT_EQ(queue.stopped_because(), "");
      EXPECT_EQ(seen.complete, 10'000);
      EXPECT_EQ(seen.attempts, 10'020);
    }
  }
}

// Two are repeated alone before a third would end the sweep, and then what waits goes on beside
// others.
TEST(RunQueue, KilledRunsAreRepeatedBeforeOneMoreWouldStopTheStarting) {
  RunQueue queue(single_cells(4), {.retries = 1, .stop_after = 3});
  queue.ended(*queue.next(0), kKilled, "", false);
  EXPECT_EQ(queue.next(0), Cells{1});
  EXPECT_EQ(queue.next(1), Cells{2});
  EXPECT_EQ(queue.ended({1}, kKilled, "", false), Verdict::kRetryAlone);
  EXPECT_EQ(queue.next(1), std::nullopt) << "2 runs still";
  queue.no_longer_failing({2});
  EXPECT_EQ(queue.next(0), Cells{0});
  queue.no_longer_failing({0});
  EXPECT_EQ(queue.next(1), std::nullopt) << "0 is alone";
  EXPECT_EQ(queue.next(0), Cells{1});
  queue.no_longer_failing({1});
  EXPECT_EQ(queue.next(0), Cells{3});
}

TEST(RunQueue, WhatMayNotStartKeepsItsPlaceAndHoldsBackNoOther) {
  RunQueue queue(single_cells(4), {});
  const auto odd = [](const PlannedPack& pack) { return pack.front() % 2 == 1; };
  EXPECT_EQ(queue.next(0, odd), Cells{1});
  EXPECT_EQ(queue.ended({1}, kKilled, "", false), Verdict::kRetryAlone);
  EXPECT_EQ(queue.next(0, odd), Cells{3});
  EXPECT_EQ(queue.next(1, odd), std::nullopt) << "the killed one waits until it is alone";
  EXPECT_EQ(queue.next(0, odd), Cells{1});
  EXPECT_EQ(queue.next(0, odd), std::nullopt);
  EXPECT_EQ(queue.waiting(), 2u);
  EXPECT_EQ(queue.next(0), Cells{0});
  EXPECT_EQ(queue.next(0), Cells{2});
}

TEST(RunQueue, WhatIsPutBackKeepsItsPlaceAmongWhatIsHeldAndWhatIsKilled) {
  RunQueue queue(single_cells(4), {});
  const auto all_but_the_first = [](const PlannedPack& pack) { return pack.front() != 0; };
  queue.put_back(*queue.next(1, all_but_the_first));
  EXPECT_EQ(queue.next(1), Cells{0});
  EXPECT_EQ(queue.next(1), Cells{1});
  EXPECT_EQ(queue.ended({1}, kKilled, "boom", false), Verdict::kRetryAlone);
  for (const std::size_t cell : {2u, 3u}) EXPECT_EQ(queue.next(1), Cells{cell});
  queue.put_back(*queue.next(0));
  EXPECT_EQ(queue.next(1), std::nullopt) << "alone still";
  EXPECT_EQ(queue.next(0), Cells{1});
}

TEST(RunQueue, WhatIsRemovedWaitsNowhere) {
  RunQueue queue({{0, 1, 2}, {3}, {4}}, {});
  EXPECT_EQ(queue.next(0), (Cells{0, 1, 2}));
  EXPECT_EQ(queue.ended({0, 1, 2}, kKilled, "boom", false), Verdict::kRetryAlone);
  queue.remove({1, 3});
  EXPECT_EQ(queue.waiting(), 3u);
  EXPECT_EQ(queue.next(0), Cells{4});
  EXPECT_EQ(queue.next(0), (Cells{0, 2}));
  EXPECT_EQ(queue.next(0), std::nullopt);
}

TEST(RunQueue, ZeroNeverStops) {
  RunQueue queue({{0}, {1}, {2}}, {.retries = 0, .stop_after = 0});
  for (int i = 0; i < 2; ++i) queue.ended(*queue.next(0), kCrash, "boom", false);
  EXPECT_EQ(queue.next(0), Cells{2});
}

TEST(RunQueue, APackThatCrashedIsTriedAgainAsTheSamePackAndThenInHalves) {
  RunQueue queue({{3, 1, 4, 5, 9}, {2}}, {.retries = 1, .stop_after = 3});
  EXPECT_EQ(queue.waiting(), 6u);
  EXPECT_EQ(queue.ended(*queue.next(0), kCrash, "boom", false), Verdict::kRetry);
  EXPECT_EQ(queue.next(0), (Cells{3, 1, 4, 5, 9})) << "before another pack";
  EXPECT_EQ(queue.next(1), Cells{2});
  EXPECT_EQ(queue.ended({3, 1, 4, 5, 9}, kCrash, "boom", false), Verdict::kHalved);
  EXPECT_EQ(queue.next(0), (Cells{3, 1, 4}));
  EXPECT_EQ(queue.next(1), (Cells{5, 9}));
  EXPECT_EQ(queue.ended({}, kDone, "", false), Verdict::kComplete) << "5 and 9";
  EXPECT_EQ(queue.ended({3, 1, 4}, kCrash, "boom", false), Verdict::kHalved) << "no retry is left";
  EXPECT_EQ(queue.next(0), (Cells{3, 1}));
  EXPECT_EQ(queue.ended({3, 1}, kCrash, "boom", false), Verdict::kHalved);
  EXPECT_EQ(queue.next(0), Cells{3});
  EXPECT_EQ(queue.ended({3}, kCrash, "boom", false), Verdict::kFailed);
  EXPECT_EQ(queue.stopped_because(), "") << "one failure among equal ones, however often halved";
  EXPECT_EQ(queue.next(0), Cells{1});
  EXPECT_EQ(queue.next(0), Cells{4});
}

TEST(RunQueue, OfARefusedPackTheHalvesAreTriedAtOnce) {
  RunQueue queue({{0, 1}, {2}}, {});
  EXPECT_EQ(queue.ended(*queue.next(0), kRefused, "no", false), Verdict::kHalved);
  EXPECT_EQ(queue.next(0), Cells{0});
  EXPECT_EQ(queue.ended({0}, kRefused, "no", false), Verdict::kFailed);
  EXPECT_EQ(queue.next(0), Cells{1});
  EXPECT_EQ(queue.next(0), Cells{2});
}

TEST(RunQueue, WhatIsLeftOfAPackGoesOnWithoutWhatIsDoneOrElsewhere) {
  RunQueue queue({{0, 1, 2, 3}}, {.stop_after = 1});
  queue.next(0);
  EXPECT_EQ(queue.ended({0, 2, 3}, kRefused, "in use", true), Verdict::kElsewhere);
  EXPECT_EQ(queue.stopped_because(), "") << "no failure";
  EXPECT_EQ(queue.next(0), (Cells{0, 2, 3}));
  RunQueue crashed({{0, 1, 2, 3}}, {});
  crashed.next(0);
  EXPECT_EQ(crashed.ended({0, 3}, kCrash, "boom", true), Verdict::kRetry) << "1 and 2 diverged";
  EXPECT_EQ(crashed.next(0), (Cells{0, 3}));
}

// A pack that stood still, and lost one of its folders meanwhile, ends with exit 3.
TEST(RunQueue, WhatALostLeaseLeavesOfAPackGoesOnInThisLaunch) {
  RunQueue queue({{0, 1, 2, 3}}, {.stop_after = 1});
  queue.next(0);
  EXPECT_EQ(queue.ended({0, 2, 3}, kStopped, "taken over", true), Verdict::kElsewhere);
  EXPECT_EQ(queue.next(0), (Cells{0, 2, 3}));
  queue.stop("interrupted");
  EXPECT_EQ(queue.ended({0, 2, 3}, kStopped, "taken over", true), Verdict::kInterrupted);
  EXPECT_EQ(queue.waiting(), 0u);
}

TEST(RunQueue, AKilledPackIsRepeatedAloneAndThenInHalvesAlone) {
  RunQueue queue({{0, 1}, {2}}, {});
  EXPECT_EQ(queue.ended(*queue.next(0), kKilled, "", false), Verdict::kRetryAlone);
  EXPECT_EQ(queue.next(1), Cells{2});
  EXPECT_EQ(queue.next(1), std::nullopt);
  EXPECT_EQ(queue.next(0), (Cells{0, 1}));
  EXPECT_EQ(queue.ended({0, 1}, kKilled, "", false), Verdict::kHalved);
  EXPECT_EQ(queue.next(1), std::nullopt) << "memory is short";
  EXPECT_EQ(queue.next(0), Cells{0});
  EXPECT_EQ(queue.ended({0}, kKilled, "", false), Verdict::kFailed);
  EXPECT_EQ(queue.next(0), Cells{1});
}

TEST(RunQueue, OfPacksOnlySingleRunsCountAmongTheEqualFailures) {
  RunQueue queue({{0, 1}, {2, 3}, {4, 5}}, {.retries = 0, .stop_after = 2});
  EXPECT_EQ(queue.ended(*queue.next(0), kCrash, "boom", false), Verdict::kHalved);
  EXPECT_EQ(queue.ended(*queue.next(0), kCrash, "boom", false), Verdict::kFailed);
  EXPECT_EQ(queue.stopped_because(), "");
  EXPECT_EQ(queue.ended(*queue.next(0), kCrash, "boom", false), Verdict::kFailed);
  EXPECT_NE(queue.stopped_because(), "");
  EXPECT_EQ(queue.ended({2, 3}, kCrash, "boom", false), Verdict::kLeft) << "ran beside them";
}

TEST(RunQueue, WhatIsSaidToBeElsewhereForEverIsARefusalInTheEnd) {
  RunQueue queue({{0}}, {.stop_after = 0});
  int times = 0;
  while (queue.ended(*queue.next(0), kRefused, "in use by", true) == Verdict::kElsewhere) ++times;
  EXPECT_EQ(times, 8);
}

}  // namespace
}  // namespace scalelaw
