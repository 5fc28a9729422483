// What a prediction and its score say beside the numbers: recipes, exclusions, other predictions,
// test sets, files that cannot be read.
#include <fstream>

#include "tests/analysis/score_fixture.h"

namespace scalelaw {
namespace {

TEST_F(ScoreTest, OtherSeedsOfAKnownSizeAreNoExtrapolation) {
  std::vector<SyntheticRun> runs = ladder();
  runs.push_back(runs[3]);
  runs.back().seed = 2;
  runs.back().prediction = "hero";
  runs.back().started = false;
  const fs::path record = write(runs);
  const Prediction prediction = registered(record).predictions.at(0);
  EXPECT_EQ(prediction.cells.at(0).seen, 0);
  EXPECT_GT(prediction.cells[0].beyond, 1);
  EXPECT_EQ(prediction.cells.at(1).seen, 1);
  EXPECT_LE(prediction.cells[1].beyond, 1);
  const ProgramResult shown = run_program({"scalelaw-fit", "predict", record.string()});
  EXPECT_NE(shown.output.find("no extrapolation, 1 of the runs used have its N and D\n"),
            std::string::npos)
      << shown.output;
  EXPECT_EQ(shown.output.find("recipe"), std::string::npos) << "it is the same";
  const std::string text = page(prediction_file(runs_, "hero"));
  EXPECT_NE(text.find("no extrapolation, 1 of the runs used have its N and D"), std::string::npos)
      << text;
}

TEST_F(ScoreTest, ARunOfAnotherRecipeAtAKnownSizeIsSaidToBe) {
  std::vector<SyntheticRun> runs = ladder();
  runs.push_back(runs[3]);
  runs.back().seed = 2;
  runs.back().prediction = "hero";
  runs.back().started = false;
  const auto other = [](const HeldOutPredictions& found) {
    return found.predictions.at(0).cells.at(1).other_recipe;
  };
  EXPECT_EQ(other(predict_held_out(write(runs), {})), "");
  fs::remove_all(runs_);
  runs.back().tokenizer_hash = std::string(32, 'a');
  const HeldOutPredictions found = predict_held_out(write(runs), {});
  const std::string said = " and differs from it in more than seeds";
  EXPECT_NE(other(found).find(said), std::string::npos) << other(found);
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_NE(found.warnings[0].find(said), std::string::npos) << found.warnings[0];
  const std::vector<PredictedCell>& cells = found.predictions.at(0).cells;
  EXPECT_EQ(cells.at(0).why, cells.at(1).why) << "the law is told once";
}

TEST_F(ScoreTest, ALawOfAnotherRecipeIsSaidToBeByPredictionFileAndScore) {
  const std::vector<SyntheticRun> runs = ladder();
  const fs::path record = write(runs);
  SweepRecord sweep = read_sweep_record(record);
  // The batch follows the size, the decay is the held-out run's own.
  for (std::size_t i = 0; i < sweep.cells.size(); ++i) {
    sweep.cells[i].recipe = {{"train.batch_tokens", std::to_string(1024 * (i + 1))},
                             {"train.optimizer.weight_decay", i == 7 ? "0.3" : "0"}};
  }
  write_sweep_record(record, sweep);
  const std::string has = "has train.optimizer.weight_decay 0.3 (they 0)";
  const std::string said = "another recipe: against the runs used it " + has;
  const ProgramResult shown =
      run_program({"scalelaw-fit", "predict", record.string(), "--register"});
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_NE(shown.output.find("- " + sweep.cells[7].folder + ": " + said), std::string::npos)
      << shown.output;
  EXPECT_NE(shown.output.find("warning: " + sweep.cells[7].folder + ": " + said), std::string::npos)
      << shown.output;
  const Prediction prediction = *find_prediction(runs_, "hero");
  EXPECT_EQ(prediction.cells.at(0).other_recipe, has);
  EXPECT_EQ(prediction.cells[0].seen, 0);
  end(runs[7], prediction.cells[0].loss);
  const std::string text = page(record);
  EXPECT_NE(text.find("another recipe: it " + has), std::string::npos) << text;
  EXPECT_NE(text.find("1 run of them has another recipe than the runs that predicted it"),
            std::string::npos)
      << text;

  sweep.cells[2].recipe.clear();
  write_sweep_record(record, sweep);
  EXPECT_EQ(predict_held_out(record, {}).predictions.at(0).cells.at(0).other_recipe, "")
      << "not known of all";
}

// Among runs that differ in it too, unless they do so by a law of their sizes.
TEST_F(ScoreTest, AValueThatNoneOfTheRunsHasIsAnotherRecipe) {
  std::vector<SyntheticRun> runs = ladder();
  fs::path record = write(runs);
  const auto other = [&](const std::vector<std::string>& decays) {
    SweepRecord sweep = read_sweep_record(record);
    for (std::size_t i = 0; i < sweep.cells.size(); ++i) {
      sweep.cells[i].recipe = {{"train.optimizer.weight_decay", decays.at(i)}};
    }
    write_sweep_record(record, sweep);
    return predict_held_out(record, {}).predictions.at(0).cells.at(0).other_recipe;
  };
  EXPECT_EQ(other({"0", "0", "0", "0", "0", "0", "0.05", "0.5"}),
            "has train.optimizer.weight_decay 0.5 (they 0, 0.05)");
  EXPECT_EQ(other({"0", "0", "0", "0", "0", "0", "0.05", "0.05"}), "");
  EXPECT_EQ(other({"1", "2", "3", "4", "5", "6", "7", "8"}), "") << "it follows the size";
  EXPECT_EQ(other({"512", "512", "512", "1024", "1024", "2048", "4096", "8192"}), "")
      << "as rounded";
  EXPECT_NE(other({"1", "2", "3", "4", "5", "6", "7", "0"}), "") << "against the others";
  EXPECT_EQ(other({"512", "512", "512", "512", "1024", "1024", "1024", "2048"}),
            "has train.optimizer.weight_decay 2048 (they 1024, 512)")
      << "two values are no law";
  EXPECT_NE(other({"512", "512", "512", "1024", "1024", "2048", "4096", "65536"}), "")
      << "far beyond the last";
  runs.back().d_model = runs[6].d_model;
  runs.back().seed = 2;
  fs::remove_all(runs_);
  record = write(runs);
  EXPECT_EQ(other({"1", "2", "3", "4", "5", "6", "7", "7"}), "");
  EXPECT_NE(other({"1", "2", "3", "4", "5", "6", "7", "7.5"}), "") << "at a size that is known";
}

TEST_F(ScoreTest, ExclusionsAreThoseOfTheRecordThatIsScored) {
  const std::vector<SyntheticRun> runs = ladder();
  const fs::path record = write(runs);
  const PredictedCell cell = registered(record).predictions.at(0).cells.at(0);
  const auto excluded = [&](const fs::path& file) {
    return score_predictions(file, {}).scores.at(0).cells.at(0).excluded;
  };
  SweepRecord other = read_sweep_record(record);
  other.name = "other";
  const fs::path others = sweep_record_file(runs_, "other");
  write_sweep_record(others, other);
  exclude(others, cell);
  EXPECT_EQ(excluded(others), "a broken GPU");
  EXPECT_EQ(excluded(record), "");
  EXPECT_EQ(excluded(prediction_file(runs_, "hero")), "") << "of the sweep that registered it";
  SweepRecord with_settings = other;
  with_settings.name = "other.set-0a1b2c3d";
  write_sweep_record(sweep_record_file(runs_, with_settings.name), with_settings);
  EXPECT_EQ(excluded(sweep_record_file(runs_, with_settings.name)), "a broken GPU");
}

TEST_F(ScoreTest, APredictionOfAnotherTestSetIsWarnedOf) {
  const fs::path record = write(ladder());
  registered(record);
  EXPECT_TRUE(score_predictions(record, {}).warnings.empty());
  SweepRecord sweep = read_sweep_record(record);
  sweep.cells[7].hold_out->test_set = "letters";
  write_sweep_record(record, sweep);
  const std::vector<std::string> warnings = score_predictions(record, {}).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("is of the loss on default, and the sweep's file asks for that on "
                             "letters"),
            std::string::npos)
      << warnings[0];
}

TEST_F(ScoreTest, FilesThatCannotBeReadAreToldWhereNothingIsRegistered) {
  const fs::path record = write(ladder());
  fs::create_directories(runs_ / "predictions");
  std::ofstream(runs_ / "predictions" / "renamed.json") << "{";
  const std::string said = error_of([&] { score_predictions(record, {}); });
  EXPECT_NE(said.find("none of its predictions is registered"), std::string::npos) << said;
  EXPECT_NE(said.find("renamed.json: is damaged, edited or no prediction"), std::string::npos)
      << said;
}

TEST_F(ScoreTest, OthersAreNamedOfWhatIsPredictedNow) {
  std::vector<SyntheticRun> runs = ladder_with(1);
  const fs::path record = write(runs);
  SweepRecord sweep = read_sweep_record(record);
  const SweepCell second = sweep.cells.back();
  sweep.cells.pop_back();
  write_sweep_record(record, sweep);
  const std::string first = registered(record).predictions.at(0).cells.at(0).folder;
  end(runs[7], 2);
  sweep.cells.push_back(second);
  for (const std::size_t i : {7, 8}) sweep.cells[i].hold_out->prediction = "again";
  write_sweep_record(record, sweep);
  const ProgramResult shown =
      run_program({"scalelaw-fit", "predict", record.string(), "--register"});
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_NE(shown.output.find(first + " is complete already and left out of it"), std::string::npos)
      << shown.output;
  EXPECT_EQ(shown.output.find("predicts " + first + " too"), std::string::npos) << shown.output;
}

}  // namespace
}  // namespace scalelaw
