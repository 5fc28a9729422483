// Budgets of sweeps, before anything runs and while it does.
#include "sweeps/plan/spending.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "sweeps/plan/plan_totals.h"
#include "sweeps/plan/reports.h"
#include "tests/sweeps/plan_fixture.h"
#include "trainer/attempt_cost.h"
#include "trainer/checkpoint_files.h"
#include "trainer/clock.h"
#include "trainer/number.h"
#include "trainer/run_lease.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class SpendingTest : public PlanTest {
 protected:
  // Four cells of one size.
  Plan with_budget(const std::string& budget) const {
    return plan(kBase + "seeds: {init: [1, 2, 3, 4]}\nbudget: " + budget + "\n");
  }
  static std::string refusal(const Plan& plan) {
    try {
      Spending(plan, look_at_all(plan)).check_whole();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  // All of the run's steps in an hour.
  static void spend_an_hour(const Plan& plan, std::size_t cell, const CostBook::Share& share,
                            const Company& company) {
    const RunFolder folder{run_folder(plan, plan.cells[cell])};
    fs::create_directories(folder.path);
    AttemptCost cost{.number = 1, .company = company};
    CostBook book(folder, cost, 32, share, monotonic_seconds() - 3600);
    for (int64_t i = 0; i < plan.cells[cell].steps; ++i) book.count_step();
    book.close("complete");
  }
  static void complete(const Plan& plan, std::size_t cell) {
    const RunFolder folder{run_folder(plan, plan.cells[cell])};
    fs::create_directories(folder.path);
    RunRecord record;
    record.state = RunState::kComplete;
    record.content_hash = plan.cells[cell].content_hash;
    record.steps = plan.cells[cell].steps;
    publish(folder, record);
  }
};

TEST_F(SpendingTest, WhatComesToMoreIsRefusedWithBothNumbers) {
  const double one = *plan(kBase).cells.front().train_flops;
  EXPECT_EQ(refusal(with_budget("{flops: " + std::to_string(4 * one + 1) + "}")), "");
  const std::string said = refusal(with_budget("{flops: " + std::to_string(4 * one - 1) + "}"));
  EXPECT_NE(said.find("s.yaml: budget.flops = "), std::string::npos) << said;
  EXPECT_NE(said.find("start_nothing_new"), std::string::npos) << said;
  EXPECT_NE(refusal(with_budget("{device_hours: 1e-9}")).find("budget.device_hours"),
            std::string::npos);
  EXPECT_NE(refusal(with_budget("{disk: 1kB}")).find("budget.disk"), std::string::npos);
  EXPECT_NE(refusal(with_budget("{price: 1}")).find("add --price-per-hour"), std::string::npos);
  options_.price_per_hour = 3600;
  EXPECT_EQ(refusal(with_budget("{price: 1}")), "");
  EXPECT_NE(refusal(with_budget("{price: 1e-9}")).find("budget.price"), std::string::npos);
}

TEST_F(SpendingTest, HoursOfAGpuCountWhereTheRunsAreOnOne) {
  options_.workers.device = DeviceKind::kGpu;
  const Plan of_sweep = with_budget("{device_hours: 1e-9}");
  EXPECT_FALSE(of_sweep.cells.front().core_hours);
  EXPECT_NE(refusal(of_sweep).find("budget.device_hours"), std::string::npos);
  EXPECT_EQ(refusal(with_budget("{device_hours: 1}")), "");
}

TEST_F(SpendingTest, ThePriceIsTheOneOfTheTotals) {
  options_.price_per_hour = 1000;
  const auto check = [&](const Workers& workers) {
    options_.workers = workers;
    const Plan all = with_budget("{price: 1e9}");
    const std::vector<CellStatus> statuses = look_at_all(all);
    const double price = plan_totals(all, statuses, false).price.value();
    EXPECT_GT(price, 0);
    EXPECT_NE(plan_text(all, statuses).find("price " + human(price) + " of "), std::string::npos)
        << describe(workers);
    EXPECT_EQ(refusal(with_budget("{price: " + canonical(1.001 * price) + "}")), "");
    EXPECT_NE(
        refusal(with_budget("{price: " + canonical(0.999 * price) + "}")).find("budget.price"),
        std::string::npos)
        << describe(workers);
  };
  Workers cores;
  for (const int jobs : {1, 3, 8}) {
    cores.jobs = jobs;
    check(cores);
  }
  for (const int gpus : {1, 8}) {
    for (const int jobs : {1, 2, 16}) check(elsewhere(gpus, "auto", jobs, /*replicas=*/1));
  }
}

// Each of two processes on a GPU has the whole of it in its ledger.
TEST_F(SpendingTest, WhatHasEndedOnASharedGpuCountsItsShare) {
  options_.workers = elsewhere(1, "auto", /*jobs=*/2, /*replicas=*/1);
  options_.price_per_hour = 1;
  const Plan all = with_budget("{price: 1e9, device_hours: 1e9}");
  std::vector<CellStatus> statuses = look_at_all(all);
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const fs::path folder = run_folder(all, all.cells[i]);
    fs::create_directories(folder);
    AttemptCost cost{.number = 1, .steps = all.cells[i].steps};
    CostBook book(RunFolder{folder}, cost, 32, {.gpus = 1}, monotonic_seconds() - 7200);
    book.close("complete");
    statuses[i].state = CellState::kComplete;
    statuses[i].step = all.cells[i].steps;
  }
  const std::string text = Spending(all, statuses).text();
  EXPECT_NE(text.find("device_hours 4 of "), std::string::npos) << text;
  EXPECT_NE(text.find("price 4 of "), std::string::npos) << text;
}

TEST_F(SpendingTest, WhatWasSpentStaysWhateverProcessesAndDeviceAreAskedFor) {
  options_.price_per_hour = 1;
  const Plan made = plan(kBase + "seeds: {init: [1, 2, 3, 4]}\n");
  for (const std::size_t on_cpu : {0u, 1u}) {
    spend_an_hour(made, on_cpu, {.cores = 1}, {.on_machine = 1});
  }
  // The others shared a machine of two GPUs, two processes on each.
  for (const std::size_t on_gpu : {2u, 3u}) {
    spend_an_hour(made, on_gpu, {.gpus = 1}, {.on_gpu = 2, .on_machine = 4});
  }
  for (std::size_t i = 0; i < 4; ++i) complete(made, i);
  const auto check = [&](const Workers& workers) {
    options_.workers = workers;
    const Plan now = with_budget("{price: 1e9, device_hours: 1e9}");
    const std::string text = Spending(now, look_at_all(now)).text();
    EXPECT_NE(text.find("device_hours 3 of "), std::string::npos) << describe(workers) << text;
    EXPECT_NE(text.find("price 2.5 of "), std::string::npos) << describe(workers) << text;
  };
  for (const int jobs : {1, 2, 8}) {
    check({.jobs = jobs});
    check(elsewhere(1, "auto", jobs, /*replicas=*/1));
    check(elsewhere(8, "auto", jobs, /*replicas=*/4));
  }
}

TEST_F(SpendingTest, ACellThatWaitsForItsRateHasSpentNothing) {
  const std::string tuned = kBase +
                            "tune: {learning_rate: {factors: [0.5, 1, 2], seeds: [1001]}}\n"
                            "budget: {device_hours: 1, flops: 1e18}\n";
  const Plan before = plan(tuned);
  ASSERT_EQ(refusal(before), "");
  const std::string text = Spending(before, look_at_all(before)).text();
  const Plan at_the_rate = plan(kBase);
  spend_an_hour(at_the_rate, 0, {.cores = 1}, {.on_machine = 1});
  complete(at_the_rate, 0);
  const Plan after = plan(tuned);
  std::vector<CellStatus> statuses = look_at_all(after);
  EXPECT_EQ(Spending(after, statuses).text(), text);
  EXPECT_EQ(refusal(after), "");
  read_ledgers(after, statuses);
  for (const CellStatus& status : statuses) EXPECT_EQ(status.ledger.attempts, 0);
}

TEST_F(SpendingTest, TrialsThatAnEdgeMayAskForCount) {
  const auto tuned = [&](double flops) {
    return plan(kBase +
                "tune: {learning_rate: {factors: [0.5, 1, 2], extend_at_edge: 2, seeds: "
                "[1001]}}\nbudget: {flops: " +
                std::to_string(flops) + "}\n");
  };
  const double one = *plan(kBase).cells.front().train_flops;
  const Plan of_sweep = tuned(6 * one + 1);  // a cell, three trials and two more
  EXPECT_EQ(refusal(of_sweep), "");
  EXPECT_NE(refusal(tuned(6 * one - 1)).find("budget.flops"), std::string::npos);
  EXPECT_NO_THROW(check_number_of_runs(of_sweep, {{0}, {1}, {2}}, 6));
  EXPECT_THROW(check_number_of_runs(of_sweep, {{0}, {1}, {2}}, 5), ConfigError);
}

TEST_F(SpendingTest, NothingNewIsStartedOnceItIsReached) {
  const double one = *plan(kBase).cells.front().train_flops;
  const Plan of_sweep =
      with_budget("{flops: " + std::to_string(2.5 * one) + ", when_reached: start_nothing_new}");
  EXPECT_EQ(refusal(of_sweep), "");
  std::vector<CellStatus> statuses = look_at_all(of_sweep);
  Spending spending(of_sweep, statuses);
  EXPECT_EQ(spending.why_not({0, 1}), "");
  EXPECT_NE(spending.why_not({0, 1, 2}), "");
  spending.started({0});
  spending.started({1});
  EXPECT_NE(spending.why_not({2}).find("budget.flops"), std::string::npos);
  statuses[0].step = of_sweep.cells[0].steps / 4;
  spending.update({0}, statuses);
  EXPECT_NE(spending.why_not({2}), "") << "it is tried again";
  statuses[0].state = CellState::kFailed;  // on its way, and what it took is gone
  spending.update({0}, statuses);
  EXPECT_EQ(spending.why_not({2}), "") << "a quarter, one and one";
  statuses[0].state = CellState::kComplete;
  statuses[0].step = of_sweep.cells[0].steps;
  spending.update({0}, statuses);
  EXPECT_NE(spending.why_not({2}), "");
}

TEST_F(SpendingTest, WhatOthersRunCountsWholeAndWhatTheyCompletedMeanwhile) {
  const double one = *plan(kBase).cells.front().train_flops;
  const Plan of_sweep =
      with_budget("{flops: " + std::to_string(2.5 * one) + ", when_reached: start_nothing_new}");
  const std::vector<CellStatus> statuses = look_at_all(of_sweep);
  Spending spending(of_sweep, statuses);
  complete(of_sweep, 0);
  spending.look_at_others(statuses);
  EXPECT_EQ(spending.why_not({2}), "");
  EXPECT_NE(spending.why_not({2, 3}), "") << "one is complete";
  {
    const RunLease held(run_folder(of_sweep, of_sweep.cells[1]));
    EXPECT_EQ(spending.why_not({2}), "") << "nobody has looked";
    spending.look_at_others(statuses);
    EXPECT_NE(spending.why_not({2}), "") << "one runs";
    EXPECT_NE(Spending(of_sweep, look_at_all(of_sweep)).why_not({2}), "");
  }
  spending.look_at_others(statuses);
  EXPECT_EQ(spending.why_not({2}), "") << "it was given up before its first checkpoint";
}

TEST_F(SpendingTest, WhatWasBegunComesFirstAndCountsWholeForWhatIsNew) {
  const double one = *plan(kBase).cells.front().train_flops;
  std::vector<std::unique_ptr<Plan>> plans;
  const auto spending = [&](double runs, CellState of_begun) {
    plans.push_back(std::make_unique<Plan>(with_budget("{flops: " + std::to_string(runs * one) +
                                                       ", when_reached: start_nothing_new}")));
    std::vector<CellStatus> statuses = look_at_all(*plans.back());
    for (const std::size_t begun : {1u, 3u}) {
      statuses[begun].state = of_begun;
      statuses[begun].step = plans.back()->cells[begun].steps / 4;
    }
    return Spending(*plans.back(), statuses);
  };
  const std::vector<PlannedPack> packs = {{0}, {1}, {2}, {3}};
  const Spending enough = spending(3.1, CellState::kInterrupted);
  EXPECT_EQ(enough.in_turn(packs), (std::vector<PlannedPack>{{1}, {3}, {0}, {2}}));
  EXPECT_EQ(enough.why_not({0}), "");
  EXPECT_NE(enough.why_not({0, 2}), "") << "two and what is left of two";
  EXPECT_NE(spending(2.9, CellState::kInterrupted).why_not({0}), "");
  EXPECT_EQ(spending(1.3, CellState::kInterrupted).why_not({1}), "") << "one of them can be ended";
  EXPECT_EQ(spending(2.9, CellState::kFailed).why_not({0}), "") << "they may fail again";
}

// Another launcher has completed it; there is nothing to start, whatever is left of the budget.
TEST_F(SpendingTest, OfWhatHasEndedNothingIsAsked) {
  const double one = *plan(kBase).cells.front().train_flops;
  const Plan of_sweep =
      with_budget("{flops: " + std::to_string(0.5 * one) + ", when_reached: start_nothing_new}");
  std::vector<CellStatus> statuses = look_at_all(of_sweep);
  Spending spending(of_sweep, statuses);
  EXPECT_NE(spending.why_not({0}), "");
  for (const std::size_t cell : {0u, 1u}) {
    statuses[cell].state = CellState::kComplete;
    statuses[cell].step = of_sweep.cells[cell].steps;
  }
  spending.update({0, 1}, statuses);
  EXPECT_EQ(spending.why_not({0}), "");
  EXPECT_NE(spending.why_not({0, 2}), "");
}

// A launcher asks again before it starts it, without what was noted of its last attempt.
TEST_F(SpendingTest, WhatFailedInAnEarlierLaunchIsNotBegunForItsCheckpoint) {
  const Plan all = with_budget("{flops: 1e18, when_reached: start_nothing_new}");
  for (const std::size_t cell : {1u, 2u}) {
    const RunFolder folder{run_folder(all, all.cells[cell])};
    fs::create_directories(folder.checkpoints());
    std::ofstream(checkpoint_file(folder, 7)).flush();
  }
  std::vector<CellStatus> statuses = look_at_all(all);
  ASSERT_EQ(statuses[1].state, CellState::kInterrupted);
  statuses[1].state = CellState::kFailed;
  Spending spending(all, statuses);
  statuses[1].state = CellState::kInterrupted;
  spending.look_at_others(statuses);
  EXPECT_FALSE(spending.has_begun({1}));
  EXPECT_TRUE(spending.has_begun({2}));
}

TEST_F(SpendingTest, PlanSetsTheWholeBesideTheBudget) {
  const Plan of_sweep = with_budget("{flops: 1e18, device_hours: 2, price: 3}");
  const std::string text = plan_text(of_sweep, look_at_all(of_sweep));
  EXPECT_NE(text.find("budget:  flops "), std::string::npos) << text;
  EXPECT_NE(text.find(" of 1e18, device_hours "), std::string::npos) << text;
  EXPECT_NE(text.find("price not known without --price-per-hour"), std::string::npos);
  EXPECT_NE(
      plan_text(with_budget("{flops: 1}"), look_at_all(of_sweep)).find("(too much: run refuses)"),
      std::string::npos);
}

TEST_F(SpendingTest, FaultsNameLineAndKey) {
  EXPECT_NE(
      error_of(kBase + "budget: {flop: 1}\n").find("budget.flop = 1: unknown key; did you mean"),
      std::string::npos);
  EXPECT_NE(error_of(kBase + "budget: {when_reached: refuse}\n").find("says when it is reached"),
            std::string::npos);
  EXPECT_NE(error_of(kBase + "budget: {flops: 0}\n").find("must be a number above 0"),
            std::string::npos);
  EXPECT_NE(error_of(kBase + "budget: {flops: 1, when_reached: stop}\n")
                .find("must be refuse or start_nothing_new"),
            std::string::npos);
}

TEST_F(SpendingTest, MoreRunsThanAllowedAreToldWithTheWayOut) {
  const Plan of_sweep = with_budget("{flops: 1e18}");
  EXPECT_NO_THROW(check_number_of_runs(of_sweep, {{0, 1}, {2}}, 3));
  EXPECT_THROW(check_number_of_runs(of_sweep, {{0, 1}, {2, 3}}, 3), ConfigError);
}

}  // namespace
}  // namespace scalelaw
