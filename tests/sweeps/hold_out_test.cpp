// Cells that wait for a prediction, and what a plan makes of one that is registered.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sweeps/launch/run_display.h"
#include "sweeps/launch/stages.h"
#include "sweeps/status/cell_status.h"
#include "sweeps/tuning/tune_report.h"
#include "sweeps/tuning/what_is_known.h"
#include "tests/sweeps/hold_out_fixture.h"
#include "trainer/attempt_cost.h"
#include "trainer/cell_exclusion.h"
#include "trainer/run_identity.h"

namespace scalelaw {
namespace {

class HeldOutCells : public HoldOutTest {};

TEST_F(HeldOutCells, WaitAndAreInTheRecordWithTheirSize) {
  const Plan held = plan(kHeldOut);
  EXPECT_EQ(waiting_cells(held), 1);
  EXPECT_EQ(provisional_cells(held), 0) << "what it is, is known";
  const PlannedCell& largest = held.cells.at(2);
  EXPECT_EQ(largest.waits, WaitsFor::kPrediction);
  const std::vector<CellStatus> statuses = look_at_all(held);
  EXPECT_EQ(statuses[2].state, CellState::kWaiting);
  EXPECT_FALSE(may_start(statuses[2]));
  EXPECT_TRUE(may_start(statuses[1]));
  const SweepRecord record = record_of(held);
  ASSERT_EQ(record.cells.size(), 3u);
  ASSERT_TRUE(record.cells[2].hold_out);
  EXPECT_EQ(record.cells[2].hold_out->prediction, "largest");
  EXPECT_EQ(record.cells[2].hold_out->n_non_embedding, 12 * 64 * 64);
  EXPECT_EQ(record.cells[2].hold_out->train_tokens, 2016);
  const std::string of_its_run = identify(largest.config, options_.runs, options_.data).recipe_hash;
  EXPECT_EQ(record.cells[2].hold_out->recipe_hash, of_its_run);
  EXPECT_FALSE(record.cells[1].hold_out);
  EXPECT_EQ(largest.content_hash,
            plan(kBase + "grid: {model.d_model: [64]}\n").cells[0].content_hash);
}

TEST_F(HeldOutCells, KeepWhatAnotherSweepHasTrainedOfThem) {
  const Plan held = plan(kHeldOut);
  const PlannedCell& largest = held.cells.at(2);
  write_in_run(largest, "checkpoints/step-000000000020.safetensors", "");
  CostBook book({options_.runs / largest.folder}, AttemptCost{1}, 32, {.cores = 1}, 0);
  for (int i = 0; i < 25; ++i) book.count_step();
  book.close("interrupted");
  std::vector<CellStatus> statuses = look_at_all(held);
  read_ledgers(held, statuses);
  EXPECT_EQ(statuses[2].state, CellState::kWaiting);
  EXPECT_EQ(statuses[2].step, 20);
  EXPECT_EQ(statuses[2].ledger.train_tokens, 25 * 32);
  EXPECT_EQ(statuses[2].ledger.wasted_tokens, 5 * 32);
}

TEST_F(HeldOutCells, StartOncePredicted) {
  predict(plan(kHeldOut).cells.at(2));
  const Plan free = plan(kHeldOut);
  EXPECT_EQ(waiting_cells(free), 0);
  EXPECT_TRUE(may_start(look_at_all(free)[2]));
  EXPECT_EQ(free.cells[2].prediction, "largest") << "and stay held-out ones";
}

TEST_F(HeldOutCells, ANameThatIsTakenIsToldByThePlanAndRefusedBeforeAnythingRuns) {
  predict(plan(kHeldOut).cells.at(0), "another");
  Plan taken = plan(kHeldOut);
  const PlannedCell& largest = taken.cells.at(2);
  EXPECT_EQ(taken.held_out_fault,
            "line 10 of s.yaml: hold_out.register = largest: is registered since "
            "2026-01-02T03:04:05Z, by sweep another, and says nothing of " +
                largest.folder + "; predictions stand: choose another name for what is held out");
  EXPECT_EQ(taken.warnings, std::vector{taken.held_out_fault});
  EXPECT_EQ(stages_text(taken),
            "stages:  2 cells, then 1 held out until predicted under another name than largest\n");
  const CellStatus status = look_at_all(taken)[2];
  EXPECT_EQ(status.state, CellState::kWaiting);
  EXPECT_TRUE(status.needs_hand);
  EXPECT_NE(status.why.find("for another name than hold_out.register = largest, which is "
                            "registered since"),
            std::string::npos)
      << status.why;
  std::ostringstream shown;
  RunDisplay display(shown, false, {});
  EXPECT_THROW(run_stages(
                   taken, [] { return Plan{}; }, {}, {}, display),
               ConfigError);
  EXPECT_FALSE(std::filesystem::exists(sweep_record_file(options_.runs, "s")));
}

TEST_F(HeldOutCells, ADamagedPredictionIsToldAndStopsNoView) {
  std::filesystem::create_directories(options_.runs / "predictions");
  std::ofstream(options_.runs / "predictions" / "largest.json") << "{";
  const Plan damaged = plan(kHeldOut);
  EXPECT_NE(damaged.held_out_fault.find(
                "line 10 of s.yaml: hold_out.register = largest: cannot be read: "),
            std::string::npos)
      << damaged.held_out_fault;
  EXPECT_EQ(look_at_all(damaged)[2].state, CellState::kWaiting);
}

TEST_F(HeldOutCells, OneThatIsLeftOutWaitsForNothing) {
  const PlannedCell largest = plan(kHeldOut).cells.at(2);
  predict(plan(kHeldOut).cells.at(0));
  exclude_cell(sweep_record_file(options_.runs, "s"),
               {largest.content_hash, largest.folder, "too dear", "2026-01-02T03:04:05Z"});
  const Plan without = plan(kHeldOut);
  EXPECT_EQ(without.held_out_fault, "");
  EXPECT_EQ(waiting_cells(without), 0);
  EXPECT_EQ(look_at_all(without)[2].state, CellState::kExcluded);
}

TEST_F(HeldOutCells, ANameThatIsTakenIsWarnedOfWhileTheirRatesAreNotKnown) {
  const std::string tuned = kHeldOut +
                            "tune: {learning_rate: {where: N <= 4k, factors: [0.5, 1, 2], then: "
                            "fit_law}}\n";
  EXPECT_EQ(plan(tuned).held_out_doubt, "") << "the name is free";
  predict(plan(kHeldOut).cells.at(2));
  const Plan waits = plan(tuned);
  EXPECT_EQ(waits.held_out_fault, "") << "the trials may tell the same rate";
  EXPECT_EQ(waits.held_out_doubt.find("line 10 of s.yaml: hold_out.register = largest: is "
                                      "registered since 2026-01-02T03:04:05Z, by sweep s; 1 "
                                      "held-out cell waits for trials."),
            0u)
      << waits.held_out_doubt;
  EXPECT_NE(std::ranges::find(waits.warnings, waits.held_out_doubt), waits.warnings.end());
}

TEST_F(HeldOutCells, StagesCountWhatWaitsForAPredictionAndWhatHasOne) {
  const auto stages = [&] { return stages_text(plan(kHeldOut)); };
  EXPECT_EQ(stages(), "stages:  2 cells, then 1 held out until predicted as largest\n");
  const PlannedCell largest = plan(kHeldOut).cells.at(2);
  const auto record = sweep_record_file(options_.runs, "s");
  exclude_cell(record, {largest.content_hash, largest.folder, "dear", "2026-01-02T03:04:05Z"});
  EXPECT_EQ(stages(), "");
  include_cell(record, largest.content_hash);
  const auto run = options_.runs / largest.folder;
  std::filesystem::create_directories(run);
  std::ofstream(run / "run.json") << "{}";
  EXPECT_EQ(stages(), "") << "complete without it";
  predict(largest);
  const std::string registered =
      "stages:  2 cells, then 1 held out, predicted as largest (registered)\n";
  EXPECT_EQ(stages(), registered);
  std::filesystem::remove_all(run);
  EXPECT_EQ(stages(), registered);
}

TEST_F(HeldOutCells, TheTestSetIsSettledBeforeAnythingRuns) {
  write_tiny_data_set(options_.data, {.name = "far"});
  write_tiny_data_set(options_.data, {.name = "near", .train_tokens = 8192});
  const auto with = [](const std::string& tests, const std::string& more = "") {
    std::string text = kHeldOut;
    text.replace(text.find("{tiny: 512}"), 11, tests);
    return text.replace(text.find("largest}"), 8, "largest" + more + "}");
  };
  const auto recorded = [&](const std::string& text) {
    return record_of(plan(text)).cells.at(2).hold_out->test_set;
  };
  EXPECT_EQ(recorded(kHeldOut), "tiny");
  EXPECT_EQ(recorded(with("{far: 512}")), "far");
  EXPECT_EQ(recorded(with("{far: 512, tiny: 512}")), "tiny");
  EXPECT_EQ(recorded(with("{far: 512, near: 512}", ", test_set: near")), "near");
  EXPECT_NE(error_of(with("{far: 512, near: 512}"))
                .find("a held-out cell is tested on far, near, none of them its training text; say "
                      "whose loss is predicted, hold_out.test_set"),
            std::string::npos);
  EXPECT_NE(error_of(with("{far: 512, near: 512}", ", test_set: nera"))
                .find("hold_out.test_set = nera: is no test set of a held-out cell, which has far, "
                      "near"),
            std::string::npos);
  const std::string two = with("{far: 512, near: 512}") +
                          "arms: {one: {data: {train: far}}, two: {data: {train: near}}}\n";
  EXPECT_NE(error_of(two).find("of another it is far"), std::string::npos) << error_of(two);
}

TEST_F(HeldOutCells, ACompleteRunWaitsForNothing) {
  const PlannedCell largest = plan(kHeldOut).cells.at(2);
  std::filesystem::create_directories(options_.runs / largest.folder);
  std::ofstream(options_.runs / largest.folder / "run.json") << "{}";
  EXPECT_EQ(waiting_cells(plan(kHeldOut)), 0);
}

TEST_F(HeldOutCells, BadInputIsToldByLineAndKey) {
  const auto fault = [&](const std::string& text) { return error_of(kBase + text); };
  EXPECT_NE(fault("hold_out: {where: N > 1e9, register: x}\n")
                .find("hold_out.where = N > 1e9: holds of none of the cells"),
            std::string::npos);
  EXPECT_NE(fault("hold_out: {where: N > 1, register: x}\n").find("holds of every cell"),
            std::string::npos);
  EXPECT_NE(fault("hold_out: {where: N > 1}\n").find("hold_out.register: is missing"),
            std::string::npos);
  EXPECT_NE(fault("hold_out: {register: x}\n").find("hold_out.where: is missing"),
            std::string::npos);
  EXPECT_NE(fault("hold_out: {where: N > 1, register: a/b}\n").find("hold_out.register"),
            std::string::npos);
  EXPECT_NE(fault("hold_out: {where: N >, register: x}\n").find("it ends too early"),
            std::string::npos);
}

}  // namespace
}  // namespace scalelaw
