// What is held out when a sweep's file, its settings or the names of its test sets are others than
// those of the registered prediction.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sweeps/plan/reports.h"
#include "sweeps/status/cell_status.h"
#include "sweeps/status/named_cells.h"
#include "sweeps/tuning/tune_report.h"
#include "sweeps/tuning/what_is_known.h"
#include "tests/sweeps/hold_out_fixture.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_yaml.h"
#include "trainer/run_identity.h"

namespace scalelaw {
namespace {

const std::string kTuned =
    "tune: {learning_rate: {where: N <= 4k, factors: [0.5, 1, 2], then: fit_law}}\n";
// With model.bias=true its held-out run is the same, and those that predict it are others.
const std::string kOtherBias =
    kBase +
    "blocks:\n"
    "  - {name: small, model: {bias: false}, grid: {model.d_model: [16, 32]}}\n"
    "  - {name: large, grid: {model.d_model: [64]}}\n"
    "hold_out: {where: N > 40k, register: largest}\n";

class HeldOutEdits : public HoldOutTest {
 protected:
  std::filesystem::path write(const std::string& text) const {
    const auto file = temp_.path() / "s.yaml";
    std::ofstream(file) << text;
    return file;
  }
  Plan plan_with(const std::string& text, const std::vector<std::string>& settings) const {
    return make_plan(read_sweep_spec(write(text), settings), options_);
  }
  // As trials would have it.
  void begin_at_another_rate(PlannedCell& cell) {
    cell.waits = WaitsFor::kNothing;
    cell.config.train.learning_rate *= 2;
    const RunIdentity run = identify(cell.config, options_.runs, options_.data);
    cell.content_hash = run.content_hash;
    cell.folder = run.folder.path.filename().string();
    write_in_run(cell, "config.yaml", to_yaml(cell.config));
  }
  std::string tiny_by_path() const { return (options_.data / "tiny").string(); }
};

TEST_F(HeldOutEdits, SettingsThatMakeOtherRunsPredictUnderANameOfTheirOwn) {
  const Plan trial = plan_with(kHeldOut, {"train.learning_rate=0.003"});
  const std::string ending = trial.name.substr(1);
  EXPECT_EQ(ending.substr(0, 5), ".set-");
  EXPECT_EQ(trial.cells.at(2).prediction, "largest" + ending);
  const Plan both = plan_with(kHeldOut, {"how.log_every=5", "train.learning_rate=0.003"});
  EXPECT_EQ(both.cells.at(2).prediction, "largest" + ending);
  EXPECT_NE(both.name, trial.name);
}

TEST_F(HeldOutEdits, SettingsThatMakeNoOtherRunsLeaveThePredictionItsName) {
  const std::string hash = plan(kHeldOut).cells.at(2).content_hash;
  for (const std::string& setting :
       {std::string("how.log_every=5"), std::string("horizon.tokens=2016"),
        "data.train=" + tiny_by_path(), std::string("train.optimizer.weight_decay=0")}) {
    const Plan same = plan_with(kHeldOut, {setting});
    EXPECT_NE(same.name, "s");
    ASSERT_EQ(same.cells.at(2).content_hash, hash) << setting;
    EXPECT_EQ(same.cells.at(2).prediction, "largest") << setting;
  }
}

TEST_F(HeldOutEdits, SettingsThatChangeOnlyWhatPredictsAreRefusedUntilTheStudyHasPredicted) {
  const PlannedCell largest = plan(kOtherBias).cells.at(2);
  const auto fault = [&] { return plan_with(kOtherBias, {"model.bias=true"}).held_out_fault; };
  ASSERT_EQ(plan_with(kOtherBias, {"model.bias=true"}).cells.at(2).content_hash,
            largest.content_hash);
  EXPECT_NE(fault().find("these settings hold " + largest.folder +
                         " out as the file does without them, and predict it otherwise; run the "
                         "sweep without --set until largest is registered"),
            std::string::npos)
      << fault();
  predict(largest);
  EXPECT_EQ(fault(), "");
}

TEST_F(HeldOutEdits, WhatIsPredictedForTheStudyIsExcludedThereAlone) {
  const Plan logged = plan_with(kHeldOut, {"how.log_every=5"});
  try {
    exclude_cells(logged, {0}, "bad memory");
    FAIL() << "the study would know nothing of it";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what())
                  .find("has the runs of s, for which its predictions are "
                        "registered; exclude them there, without --set"),
              std::string::npos)
        << error.what();
  }
  exclude_cells(plan_with(kHeldOut, {"model.bias=false"}), {0}, "of other runs");
  const PlannedCell& small = logged.cells.at(0);
  exclude_cell(sweep_record_file(options_.runs, logged.name),
               {small.content_hash, small.folder, "before it held out", "2026-01-02T03:04:05Z"});
  const std::string fault = plan_with(kHeldOut, {"how.log_every=5"}).held_out_fault;
  EXPECT_NE(fault.find("which knows nothing of " + small.folder + " being left out of s.set-"),
            std::string::npos)
      << fault;
}

// Its refusal names both remedies.
TEST_F(HeldOutEdits, WhatOnlyTheSettingsExcludedIsMendedByTakingItInOrByExcludingItInTheStudy) {
  const Plan logged = plan_with(kHeldOut, {"how.log_every=5"});
  const auto fault = [&] { return plan_with(kHeldOut, {"how.log_every=5"}).held_out_fault; };
  const PlannedCell& small = logged.cells.at(0);
  const auto exclude_here = [&] {
    exclude_cell(sweep_record_file(options_.runs, logged.name),
                 {small.content_hash, small.folder, "early", "2026-01-02T03:04:05Z"});
    ASSERT_NE(fault(), "");
  };
  exclude_here();
  EXPECT_THROW(include_cells(logged, {0, 1}), ConfigError) << "the second is not excluded";
  EXPECT_NE(fault(), "") << "nothing was changed";
  EXPECT_TRUE(include_cells(logged, {0}).empty());
  EXPECT_EQ(fault(), "");
  exclude_here();
  exclude_cells(plan_with(kHeldOut, {}), {0}, "bad memory");
  EXPECT_EQ(fault(), "");
  const std::map<std::size_t, std::string> still = include_cells(logged, {0});
  EXPECT_EQ(still, (std::map<std::size_t, std::string>{{0, "bad memory"}}));
  EXPECT_EQ(look_at_all(logged).at(0).state, CellState::kExcluded);
  EXPECT_THROW(include_cells(logged, {0}), ConfigError) << "what is left is the study's";
}

TEST_F(HeldOutEdits, SettingsAreNotRefusedForWhatTheStudyLeavesOut) {
  ASSERT_NE(plan_with(kOtherBias, {"model.bias=true"}).held_out_fault, "");
  const Plan study = plan_with(kOtherBias, {});
  std::filesystem::create_directories(options_.runs / "sweeps");
  write_sweep_record(sweep_record_file(options_.runs, "s"), record_of(study));
  exclude_cells(study, {2}, "too dear");
  EXPECT_EQ(plan_with(kOtherBias, {"model.bias=true"}).held_out_fault, "");
}

// Their rates were told by trials: at the file's own they never were.
TEST_F(HeldOutEdits, SettingsAreNotRefusedForWhatTheStudyHasBegunAtAnotherRate) {
  const std::string text = kOtherBias + kTuned;
  const auto fault = [&] { return plan_with(text, {"model.bias=true"}).held_out_fault; };
  EXPECT_NE(fault().find("run the sweep without --set"), std::string::npos) << fault();
  Plan begun = plan_with(text, {});
  PlannedCell& large = begun.cells.back();
  ASSERT_TRUE(large.is_provisional());
  begin_at_another_rate(large);
  std::filesystem::create_directories(options_.runs / "sweeps");
  write_sweep_record(sweep_record_file(options_.runs, "s"), record_of(begun));
  EXPECT_EQ(fault(), "");
}

TEST_F(HeldOutEdits, WhatTheStudyExcludesIsLeftOutWithSettingsToo) {
  const PlannedCell small = plan(kHeldOut).cells.at(0);
  exclude_cell(sweep_record_file(options_.runs, "s"),
               {small.content_hash, small.folder, "bad memory", "2026-01-02T03:04:05Z"});
  const Plan logged = plan_with(kHeldOut, {"how.log_every=5"});
  const CellStatus status = look_at_all(logged).at(0);
  EXPECT_EQ(status.state, CellState::kExcluded);
  EXPECT_EQ(status.why, "bad memory");
  try {
    include_cells(logged, {0});
    FAIL() << "it is the study's";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("is excluded from sweep s (bad memory)"),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(look_at_all(plan_with(kHeldOut, {"model.bias=false"})).at(0).state, CellState::kMissing)
      << "another run";
  std::filesystem::create_directories(options_.runs / "sweeps");
  write_sweep_record(sweep_record_file(options_.runs, logged.name), record_of(logged));
  const StoreExclusions of_store = exclusions_of_store(options_.runs);
  EXPECT_EQ(in_words(of_store.at(small.content_hash)),
            "excluded from sweep " + logged.name + ": bad memory");
}

TEST_F(HeldOutEdits, ATestSetIsComparedByItsOwnName) {
  std::string text = kHeldOut;
  text.replace(text.find("{tiny: 512}"), 11, "{" + tiny_by_path() + ": 512}");
  const Plan by_path = plan(text);
  EXPECT_EQ(record_of(by_path).cells.at(2).hold_out->test_set, "tiny");
  ASSERT_EQ(by_path.cells.at(2).content_hash, plan(kHeldOut).cells.at(2).content_hash);
  for (const std::string& asked : {std::string("tiny"), tiny_by_path()}) {
    std::string with = text;
    with.replace(with.find("largest}"), 8, "largest, test_set: " + asked + "}");
    EXPECT_EQ(plan(with).cells.at(2).predicted_test_set, "tiny") << asked;
  }
  predict(plan(kHeldOut).cells.at(2));
  EXPECT_EQ(waiting_cells(plan(text)), 0);
}

TEST_F(HeldOutEdits, APredictionOfAnotherTestSetStartsNothingAndStopsNothing) {
  const PlannedCell largest = plan(kHeldOut).cells.at(2);
  predict(largest, "s", "letters");
  const Plan taken = plan(kHeldOut);
  EXPECT_EQ(taken.cells.at(2).waits, WaitsFor::kAnotherName);
  const std::string said = "by sweep s, of test set letters; it predicts " + largest.folder +
                           " on letters, not on tiny: ";
  EXPECT_NE(taken.held_out_fault.find(said + "choose another name for what is held out"),
            std::string::npos)
      << taken.held_out_fault;
  write_tiny_data_set(options_.data, {.name = "letters"});
  std::string both = kHeldOut;
  both.replace(both.find("{tiny: 512}"), 11, "{tiny: 512, letters: 512}");
  const PlannedCell of_both = plan(both).cells.at(2);
  std::filesystem::remove_all(options_.runs);
  predict(of_both, "s", "letters");
  EXPECT_NE(plan(both).held_out_fault.find("write hold_out.test_set = letters, or choose another "),
            std::string::npos)
      << plan(both).held_out_fault;
  write_in_run(of_both, "config.yaml", "");
  EXPECT_EQ(plan(both).held_out_fault, "") << "it has begun under that prediction";
  EXPECT_EQ(waiting_cells(plan(both)), 0);
}

TEST_F(HeldOutEdits, AnEditThatNoRateCanUndoIsRefusedBeforeTheTrials) {
  const PlannedCell largest = plan(kHeldOut).cells.at(2);
  predict(largest);
  EXPECT_EQ(plan(kHeldOut + kTuned).held_out_fault, "") << "the trials may tell the same rate";
  std::string edited = kHeldOut + kTuned;
  edited.replace(edited.find("tokens: 2000"), 12, "tokens: 3000");
  const Plan longer = plan(edited);
  EXPECT_EQ(longer.held_out_doubt, "");
  EXPECT_NE(longer.held_out_fault.find("says nothing of transformer_l1w64_"), std::string::npos)
      << longer.held_out_fault;
  EXPECT_NE(longer.held_out_fault.find(", whatever rate the trials tell; predictions stand"),
            std::string::npos)
      << longer.held_out_fault;

  EXPECT_NE(stages_text(longer).find("1 held out until predicted under another name than largest"),
            std::string::npos)
      << stages_text(longer);

  std::string decayed = kHeldOut + kTuned;
  decayed.replace(decayed.find("batch_tokens: 32"), 16,
                  "batch_tokens: 32, optimizer: {weight_decay: 0.3}");
  EXPECT_EQ(plan(decayed).held_out_fault, "") << "its folder is called so, and it never began";
  write_in_run(largest, "config.yaml", to_yaml(largest.config));
  EXPECT_NE(plan(decayed).held_out_fault, "");
  EXPECT_EQ(plan(kHeldOut + kTuned).held_out_fault, "");

  Plan complete = plan(decayed);
  PlannedCell& other = complete.cells.back();
  ASSERT_TRUE(other.is_provisional());
  begin_at_another_rate(other);
  write_in_run(other, "run.json", "{}");
  std::filesystem::create_directories(options_.runs / "sweeps");
  SweepRecord record = record_of(complete);
  write_sweep_record(sweep_record_file(options_.runs, "s"), record);
  EXPECT_EQ(plan(decayed).held_out_fault, "") << "what is complete needs none";
  for (SweepCell& cell : record.cells) cell.hold_out.reset();
  write_sweep_record(sweep_record_file(options_.runs, "s"), record);
  EXPECT_EQ(plan(decayed).held_out_fault, "") << "also where it was held out since";
}

TEST_F(HeldOutEdits, StagesSayWhereThePredictionIsThereAlready) {
  predict(plan(kHeldOut).cells.at(2));
  const std::string stages = stages_text(plan(kHeldOut + kTuned));
  EXPECT_NE(stages.find(", then 1 held out that waits for trials; largest is registered\n"),
            std::string::npos)
      << stages;
}

TEST_F(HeldOutEdits, ADamagedPredictionIsWarnedOfAfterAllHasEnded) {
  std::filesystem::create_directories(options_.runs / "predictions");
  std::ofstream(options_.runs / "predictions" / "largest.json") << "{";
  write_in_run(plan(kHeldOut).cells.at(2), "run.json", "{}");
  const Plan ended = plan(kHeldOut);
  EXPECT_EQ(ended.held_out_fault, "");
  const std::string said = "hold_out.register = largest: cannot be read: ";
  EXPECT_EQ(std::ranges::count_if(
                ended.warnings,
                [&](const std::string& text) { return text.find(said) != std::string::npos; }),
            1);
  const std::string status = status_text(ended, look_at_all(ended), {});
  EXPECT_NE(status.find(said), std::string::npos) << status;
}

TEST_F(HeldOutEdits, TheRecordSaysInWhatTheRecipesOfAHeldOutSweepDiffer) {
  const std::string text = kBase +
                           "blocks:\n"
                           "  - {name: small, grid: {model.d_model: [16, 32]}}\n"
                           "  - {name: large, train: {optimizer: {weight_decay: 0.3}}, "
                           "seeds: {init: 3}, grid: {model.d_model: [64]}}\n";
  for (const SweepCell& cell : record_of(plan(text)).cells) EXPECT_TRUE(cell.recipe.empty());
  const SweepRecord record =
      record_of(plan(text + "hold_out: {where: N > 40k, register: largest}\n"));
  using Recipe = std::map<std::string, std::string>;
  EXPECT_EQ(record.cells.at(2).recipe, (Recipe{{"train.optimizer.weight_decay", "0.3"}}));
  ASSERT_EQ(record.cells.at(0).recipe.size(), 1u);
  EXPECT_NE(record.cells.at(0).recipe, record.cells.at(2).recipe);
  const auto file = sweep_record_file(options_.runs, "s");
  std::filesystem::create_directories(file.parent_path());
  write_sweep_record(file, record);
  EXPECT_EQ(read_sweep_record(file), record);
}

}  // namespace
}  // namespace scalelaw
