// What is predicted of runs beside what they have taken, and what all of a plan comes to.
#include "sweeps/status/predicted_actual.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>

#include "sweeps/plan/disk_needs.h"
#include "sweeps/plan/plan_totals.h"
#include "sweeps/plan/reports.h"
#include "sweeps/status/work_left.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/bytes_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

CellStatus complete(double core_seconds) {
  CellStatus status;
  status.state = CellState::kComplete;
  status.ledger.attempts = 1;
  status.ledger.core_seconds = status.ledger.wall_seconds = core_seconds;
  return status;
}

TEST(PredictedActual, ComparesCompleteRunsWhoseCostIsKnown) {
  const TempDir temp;
  const Plan plan = small_plan(temp.path(), "grid: {seeds.init: [1, 2, 3, 4, 5, 6]}");
  std::vector<CellStatus> statuses(6);
  EXPECT_EQ(predicted_text(predicted_and_actual(plan, statuses), plan), "") << "none is complete";
  statuses[0] = complete(30);
  statuses[1] = complete(50);
  statuses[1].ledger.peak_bytes = 123e6;
  statuses[1].ledger.wasted_core_seconds = 10;  // trained again after a kill
  statuses[2] = complete(1000);
  statuses[2].state = CellState::kInterrupted;
  statuses[3] = complete(1000);
  statuses[3].ledger.unknown = 1;
  statuses[4] = complete(1000);
  statuses[4].state = CellState::kDiverged;  // ended early
  statuses[5] = complete(1000);
  statuses[5].ledger.gpu_seconds = 1000;
  const std::filesystem::path folder = run_folder(plan, plan.cells[0]) / "checkpoints";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "one") << std::string(100'000, 'x');
  const PredictedActual both = predicted_and_actual(plan, statuses);
  EXPECT_EQ(both.runs, 2);
  EXPECT_DOUBLE_EQ(both.core_seconds, 70);
  EXPECT_DOUBLE_EQ(both.wall_seconds, 70);
  EXPECT_DOUBLE_EQ(both.predicted_core_seconds, 2 * *plan.cells[0].core_hours * 3600);
  EXPECT_DOUBLE_EQ(both.predicted_bytes.value(), 2 * bytes_of_complete(plan.cells[0]));
  EXPECT_NEAR(both.bytes.value(), 100'000, 20'000);
  const std::string text = status_text(plan, statuses);
  EXPECT_NE(text.find(" of cores for 2 complete runs, taken by the clock: 70 s ("),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("memory of the largest process: " + bytes_text(*plan.cells[0].memory_bytes) +
                      ", taken: 123 MB"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("time at a stated 30 GFLOP/s"), std::string::npos) << text;
  const auto json = nlohmann::json::parse(status_json(plan, statuses)).at("predicted");
  EXPECT_EQ(json.at("runs"), 2);
  EXPECT_EQ(json.at("core_seconds"), 70);
}

TEST(PlanTotals, ThePriceIsThatOfTheWholeMachineForTheTimeByTheClock) {
  const TempDir temp;
  PlanOptions options;
  options.workers.jobs = 2;
  options.price_per_hour = 3;
  Plan plan = small_plan(temp.path(), "grid: {seeds.init: [1, 2, 3]}", options);
  for (PlannedCell& cell : plan.cells) cell.core_hours = 2;
  std::vector<CellStatus> statuses(3);
  const PlanTotals all = plan_totals(plan, statuses, false);
  EXPECT_DOUBLE_EQ(all.wall_hours, 3);
  EXPECT_DOUBLE_EQ(all.price.value(), 9);
  EXPECT_NE(totals_text(all, plan).find("about 3.0 h on 2 cores, 9 for this machine at 3 an hour"),
            std::string::npos)
      << totals_text(all, plan);
  plan.cells[0].core_hours = 20;
  EXPECT_DOUBLE_EQ(plan_totals(plan, statuses, false).wall_hours, 20) << "the longest";
  statuses[0].state = CellState::kComplete;
  EXPECT_DOUBLE_EQ(plan_totals(plan, statuses, true).price.value(), 6);
  const auto json = nlohmann::json::parse(plan_json(plan, statuses));
  EXPECT_EQ(json.at("price_per_hour"), 3);
  EXPECT_EQ(json.at("totals").at("to_run").at("price"), 6);
  EXPECT_EQ(json.at("totals").at("all").at("wall_hours"), 20);
  plan.options.price_per_hour.reset();
  EXPECT_EQ(totals_text(plan_totals(plan, statuses, true), plan).find("for this machine"),
            std::string::npos);
}

// Ahead of them, and behind: what has become known of a cell does not change when its turn was.
TEST(PlanTotals, AStageBeginsWhenTheOneBeforeHasEnded) {
  const TempDir temp;
  write_tiny_data_set(temp.path() / "data");
  PlanOptions options;
  options.data = temp.path() / "data";
  options.runs = temp.path() / "runs";
  options.workers.jobs = 8;
  const SweepSpec spec = parse_sweep_spec(
      "{spec: 1, name: s, data: {train: tiny, test: {tiny: 512}}, horizon: {tokens: 2000}, model: "
      "{n_ctx: 8}, train: {batch_tokens: 32, learning_rate: 0.1}, evaluate: {tokens: 64}, grid: "
      "{model.d_model: [16, "
      "32, 64]}, tune: {learning_rate: {where: d_model == 16, factors: [0.5, 1, 2], then: "
      "fit_law}}, hold_out: {where: d_model == 64, register: p}}",
      "s.yaml");
  const TrialEnds all_ended = [](const PlannedCell& trial) {
    const double off = std::log(trial.config.train.learning_rate / 0.1);
    return TrialEnd{.loss_nats = 2 + off * off};
  };
  for (const TrialEnds& ends : {TrialEnds(), all_ended}) {
    Plan plan = make_plan(spec, options, ends);
    ASSERT_EQ(plan.cells.size(), 6u);
    for (PlannedCell& cell : plan.cells) cell.core_hours = 2;
    std::vector<CellStatus> statuses(plan.cells.size());
    EXPECT_DOUBLE_EQ(plan_totals(plan, statuses, false).wall_hours, 6);
    EXPECT_DOUBLE_EQ(present_work(plan, statuses).planned_seconds_left.value(), 6 * 3600);
    for (std::size_t i = 0; i < plan.cells.size(); ++i) {
      if (plan.cells[i].is_trial) statuses[i].state = CellState::kComplete;
    }
    EXPECT_DOUBLE_EQ(plan_totals(plan, statuses, true).wall_hours, 4);
    plan.options.workers.jobs = 1;
    EXPECT_DOUBLE_EQ(plan_totals(plan, statuses, false).wall_hours, 12);
  }
}

TEST(PlanReport, TheDiskLineSaysHowManyFilesAndHowManyAreFree) {
  const TempDir temp;
  const Plan plan = small_plan(temp.path());
  const std::string text = plan_text(plan, look_at_all(plan));
  const std::size_t line = text.find("disk:    ");
  ASSERT_NE(line, std::string::npos);
  const std::string disk = text.substr(line, text.find('\n', line) - line);
  EXPECT_NE(disk.find(" files; free: "), std::string::npos) << disk;
  EXPECT_GE(nlohmann::json::parse(plan_json(plan, look_at_all(plan)))
                .at("disk")
                .at("files_at_peak")
                .get<double>(),
            4 * 14);
}

}  // namespace
}  // namespace scalelaw
