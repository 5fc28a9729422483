// What the end of an attempt means for the cells that it left.
#include "sweeps/launch/attempt_verdict.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/program_exit.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

const ProcessEnd kCrash{1, 0}, kSaved{3, 0}, kKilled{0, SIGKILL}, kTerminated{0, SIGTERM};

class AttemptVerdict : public testing::Test {
 protected:
  AttemptVerdict() { folder_.prepare(); }
  AttemptLeft left(const PlannedPack& cells, const ProcessEnd& end, const std::string& reason) {
    AttemptLeft left;
    left.cells = cells;
    left.end = end;
    left.reason = reason;
    left.log = "attempt.log";
    return left;
  }
  AttemptLeft judged(AttemptLeft left, const AttemptEnd& at) {
    judge_.judge(left, at);
    return left;
  }

  TempDir temp_;
  Plan plan_ = small_plan(temp_.path());
  SweepFolder folder_ = sweep_folder(plan_.options.runs, "s");
  Room room_{plan_};
  RunQueue queue_{{}, {.retries = 1, .stop_after = 0}};
  AttemptJudge judge_{plan_, room_, queue_, 60.0};
};

TEST_F(AttemptVerdict, WhatWasKilledOnDemandIsInterruptedAndNoFault) {
  AttemptEnd at;
  at.interrupted = true;
  for (const ProcessEnd& end : {kKilled, kTerminated}) {
    const AttemptLeft of = judged(left({0}, end, "boom"), at);
    EXPECT_EQ(of.verdict, Verdict::kInterrupted);
    EXPECT_EQ(of.end, kSaved);
  }
  at = {};
  at.paused = true;
  EXPECT_EQ(judged(left({0}, kTerminated, "boom"), at).verdict, Verdict::kInterrupted);
  EXPECT_EQ(judged(left({0}, kTerminated, "boom"), {}).verdict, Verdict::kRetry);
}

TEST_F(AttemptVerdict, AnOverdueRunGoesOnInTheNextLaunchAlsoWhereItHadToBeKilled) {
  AttemptEnd at;
  at.asked = EndAsked::kForTime;
  at.is_smaller = true;
  for (const ProcessEnd& end : {kKilled, kSaved, kTerminated}) {
    const AttemptLeft of = judged(left({0, 1}, end, "a step took long"), at);
    EXPECT_EQ(of.verdict, Verdict::kInterrupted);
    EXPECT_EQ(of.end, kSaved);
    EXPECT_EQ(of.reason.rfind("time limit of ", 0), 0u) << of.reason;
  }
  EXPECT_EQ(queue_.waiting(), 0u);
  EXPECT_EQ(judged(left({0}, kCrash, "boom"), at).verdict, Verdict::kRetry) << "a fault of its own";
}

TEST_F(AttemptVerdict, WithoutWhatAnotherProcessHasTheRestIsQueuedUnlessItWasToEnd) {
  AttemptEnd at;
  at.others_have_some = true;
  EXPECT_EQ(judged(left({1}, kSaved, "in use"), at).verdict, Verdict::kElsewhere);
  EXPECT_EQ(queue_.waiting(), 1u);
  at.asked = EndAsked::kForTime;
  EXPECT_EQ(judged(left({2}, kSaved, "in use"), at).verdict, Verdict::kInterrupted);
  EXPECT_EQ(queue_.waiting(), 1u);
}

TEST_F(AttemptVerdict, APackAskedToGoOnWithFewerRowsIsNextUnlessNothingStarts) {
  queue_.add({3});
  AttemptEnd at;
  at.asked = EndAsked::kToRepack;
  at.is_smaller = true;
  EXPECT_EQ(judged(left({0, 1}, kCrash, "boom"), at).verdict, Verdict::kRetry) << "a fault";
  ASSERT_EQ(queue_.next(0), (PlannedPack{0, 1}));
  EXPECT_EQ(judged(left({0, 1}, kSaved, "interrupted"), at).verdict, Verdict::kRepacked);
  EXPECT_EQ(queue_.next(0), (PlannedPack{0, 1}));
  EXPECT_EQ(judged(left({}, ProcessEnd{}, ""), at).verdict, Verdict::kComplete)
      << "it came to its end first";
  queue_.stop("interrupted");
  EXPECT_EQ(judged(left({0, 1}, kSaved, "interrupted"), at).verdict, Verdict::kInterrupted);
}

TEST_F(AttemptVerdict, OutOfMemoryAPackIsHalvedAndThatIsToBeNoted) {
  const AttemptLeft of =
      judged(left({0, 1, 2}, kCrash, std::string(kMemoryDoesNotSuffice) + " for 3 runs"), {});
  EXPECT_EQ(of.verdict, Verdict::kHalved);
  ASSERT_TRUE(of.limits);
  EXPECT_EQ(of.limits->most_together, 2u);
  EXPECT_FALSE(judged(left({0}, kCrash, "boom"), {}).limits);
}

// An attempt that runs out of memory while it is asked to end would do so again.
TEST_F(AttemptVerdict, OutOfMemoryIsToBeNotedAlsoWhereNothingStartsAnyMore) {
  queue_.stop("interrupted");
  AttemptEnd at;
  for (bool AttemptEnd::*asked : {&AttemptEnd::interrupted, &AttemptEnd::paused}) {
    at = {};
    at.*asked = true;
    const AttemptLeft pack = judged(left({0, 1, 2}, kCrash, kMemoryDoesNotSuffice), at);
    EXPECT_EQ(pack.verdict, Verdict::kLeft);
    EXPECT_EQ(pack.limits, CellLimits{2});
    const AttemptLeft alone = judged(left({0}, kCrash, kMemoryDoesNotSuffice), at);
    EXPECT_EQ(alone.verdict, Verdict::kFailed);
    EXPECT_EQ(alone.limits, (CellLimits{1, 16}));
  }
  const std::string by_kernel = std::string("the kernel killed it: ") + kMemoryDoesNotSuffice;
  at.interrupted = true;
  const AttemptLeft killed = judged(left({0}, kKilled, by_kernel), at);
  EXPECT_EQ(killed.verdict, Verdict::kInterrupted);
  EXPECT_EQ(killed.limits, (CellLimits{1, 16}));
  at = {};
  at.asked = EndAsked::kForTime;
  EXPECT_EQ(judged(left({0}, kKilled, by_kernel), at).limits, (CellLimits{1, 16}));
  EXPECT_FALSE(judged(left({0}, kSaved, kMemoryDoesNotSuffice), at).limits) << "it had enough";
  EXPECT_EQ(queue_.waiting(), 0u);
}

// As where the weights already found no room, or the step's graph: half of the batch might be as
// much as it was, or more.
TEST_F(AttemptVerdict, AnAttemptThatLeftNoRecordWasComputedAsItsMemoryAllows) {
  PlannedCell& cell = plan_.cells[0];
  cell.config.how.recompute = Recomputation::kNone;
  const AttemptLeft of = left({0}, kCrash, kMemoryDoesNotSuffice);
  EXPECT_EQ(judged(of, {}).limits, (CellLimits{1, 16}));
  StepRequest request = request_for(cell.config, cell.shape, 1);
  request.windows_at_once = 2;
  plan_.options.memory_bytes =
      (choose_step(request, 1e15).needed_bytes / 0.92 + 1) * plan_.options.workers.jobs;
  const AttemptLeft of_two = judged(of, {});
  EXPECT_EQ(of_two.verdict, Verdict::kNarrowed);
  EXPECT_EQ(of_two.limits, (CellLimits{1, 8}));
  append_limits(folder_, plan_, {0}, {1, 8});
  const AttemptLeft of_one = judged(of, {});
  EXPECT_EQ(of_one.verdict, Verdict::kFailed) << "one window is all that it computed";
  EXPECT_EQ(of_one.limits, (CellLimits{1, 0, true, memory_a_run(plan_.options)}));
}

TEST_F(AttemptVerdict, OnlyASingleRunsAttemptIsNotedAsUnfinished) {
  append_unfinished(folder_, plan_, judged(left({0, 1}, {2, 0}, "refused"), {}));
  EXPECT_TRUE(read_last_unfinished(folder_).empty()) << "it is one of the two's";
  append_unfinished(folder_, plan_, judged(left({1}, {2, 0}, "refused"), {}));
  const UnfinishedAttempts noted = read_last_unfinished(folder_);
  ASSERT_EQ(noted.size(), 1u);
  EXPECT_EQ(noted.at(plan_.cells[1].content_hash).reason, "refused");
}

}  // namespace
}  // namespace scalelaw
