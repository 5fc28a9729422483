// What is registered of which cells, and what a score says of those that came out otherwise.
#include "tests/analysis/score_fixture.h"
#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

TEST_F(ScoreTest, ExcludedCellsAreNotPredictedAndBlockNothing) {
  std::vector<SyntheticRun> runs = ladder_with(1);
  runs[7].started = true;
  runs[7].complete = false;
  const fs::path record = write(runs);
  HeldOutPredictions found = predict_held_out(record, {});
  const std::string refused = error_of([&] { register_predictions(found); });
  EXPECT_NE(refused.find("has begun at 2026-01-02T03:04:05Z, so its loss may have been seen"),
            std::string::npos)
      << refused;
  EXPECT_NE(refused.find("sweep exclude SPEC " + found.predictions[0].cells[0].folder),
            std::string::npos);
  EXPECT_EQ(refused.find("retry"), std::string::npos);
  exclude(record, found.predictions[0].cells[0]);
  const HeldOutPredictions again = registered(record);
  const Prediction& prediction = again.predictions.at(0);
  ASSERT_EQ(prediction.cells.size(), 1u);
  EXPECT_EQ(prediction.cells[0].folder, found.predictions[0].cells[1].folder);
  ASSERT_EQ(prediction.left_out.size(), 1u);
  EXPECT_EQ(prediction.left_out[0].reason, "held out, and excluded: a broken GPU");
  exclude(record, prediction.cells[0]);
  EXPECT_NE(refusal(record).find("all of them excluded: there is no run to predict"),
            std::string::npos);
  const std::string text = page(record);
  EXPECT_NE(text.find("not started; excluded: a broken GPU"), std::string::npos) << text;
  EXPECT_NE(text.find("1 run excluded from the sweep"), std::string::npos) << text;
}

TEST_F(ScoreTest, WhatIsLeftOutOfTheLawIsRegisteredWithItsReason) {
  const std::vector<SyntheticRun> runs = ladder();
  const fs::path record = write(runs);
  const SweepRecord sweep = read_sweep_record(record);
  exclude_cell(record, {sweep.cells[2].content_hash, sweep.cells[2].folder, "odd", ""});
  const Prediction prediction = registered(record).predictions.at(0);
  ASSERT_EQ(prediction.left_out.size(), 1u);
  EXPECT_EQ(prediction.left_out[0].folder, sweep.cells[2].folder);
  EXPECT_EQ(prediction.left_out[0].reason, "excluded: odd");
  const ProgramResult shown = run_program({"scalelaw-fit", "predict", record.string()});
  EXPECT_NE(shown.output.find("excluded: odd"), std::string::npos) << shown.output;
}

TEST_F(ScoreTest, CellsThatHaveNotEndedAreWaitedForOrDoneWithout) {
  std::vector<SyntheticRun> runs = ladder();
  runs[1].complete = false;
  const fs::path record = write(runs);
  HeldOutPredictions found = predict_held_out(record, {});
  const std::string refused = error_of([&] { register_predictions(found); });
  EXPECT_NE(refused.find("of sweep s, 1 cell has no result yet: transformer_w"), std::string::npos)
      << refused;
  EXPECT_NE(refused.find("--incomplete"), std::string::npos);
  EXPECT_FALSE(find_prediction(runs_, "hero"));
  const std::vector<std::string> command = {"scalelaw-fit", "predict", record.string(),
                                            "--register", "--incomplete"};
  EXPECT_EQ(run_program(command).exit_code, 0);
  const Prediction prediction = *find_prediction(runs_, "hero");
  ASSERT_EQ(prediction.left_out.size(), 1u);
  EXPECT_EQ(prediction.left_out[0].reason.find("not complete"), 0u);
}

TEST_F(ScoreTest, TrialsAndWhatWaitsForThemAreWaitedForToo) {
  std::vector<SyntheticRun> runs = ladder();
  runs.insert(runs.begin() + 1, runs[1]);
  runs[1].complete = false;
  runs[1].seed = 1001;
  runs[1].folder = "trial";
  const fs::path record = write(runs);
  SweepRecord sweep = read_sweep_record(record);
  sweep.cells[1].is_trial = true;
  write_sweep_record(record, sweep);
  EXPECT_EQ(predict_held_out(record, {}).unended, "1 cell has no result yet: trial");
  sweep.cells.erase(sweep.cells.begin() + 1);
  sweep.waiting = 2;
  write_sweep_record(record, sweep);
  HeldOutPredictions found = predict_held_out(record, {});
  EXPECT_EQ(found.unended, "2 cells wait for what trials tell");
  EXPECT_NE(error_of([&] { register_predictions(found); }), "");
  EXPECT_FALSE(find_prediction(runs_, "hero"));
}

TEST_F(ScoreTest, AnExcludedCellIsNotWaitedFor) {
  std::vector<SyntheticRun> runs = ladder();
  runs[1].complete = false;
  const fs::path record = write(runs);
  const SweepCell cell = read_sweep_record(record).cells[1];
  exclude_cell(record, {cell.content_hash, cell.folder, "odd", ""});
  EXPECT_EQ(predict_held_out(record, {}).unended, "");
}

TEST_F(ScoreTest, ScoresSetWhatBecameOfARunBesideItsPrediction) {
  std::vector<SyntheticRun> runs = ladder();
  SyntheticRun second = runs.back();
  second.seed = 2;
  SyntheticRun waits = second;
  waits.seed = 3;
  runs.insert(runs.end(), {second, waits});
  const fs::path record = write(runs);
  EXPECT_NE(error_of([&] { score_predictions(record, {}); }).find("--register"), std::string::npos);
  HeldOutPredictions found = predict_held_out(record, {});
  register_predictions(found);
  Scores scores = score_predictions(record, {});
  EXPECT_EQ(scores.scores.at(0).counted(), 0);
  EXPECT_EQ(scores.scores[0].cells.at(0).why, "not started");
  // One as predicted, one far off.
  const PredictedCell& cell = found.predictions[0].cells[0];
  SyntheticRun good = runs[7], bad = second;
  for (SyntheticRun* run : {&good, &bad}) {
    run->started = true;
    run->started_at = "2999-01-01T00:00:00Z";
  }
  good.loss_nats = cell.loss;
  bad.loss_nats = cell.high + .1;
  write_synthetic_run(runs_, good);
  write_synthetic_run(runs_, bad);
  scores = score_predictions(record, {});
  EXPECT_EQ(scores.scores[0].counted(), 2);
  EXPECT_EQ(scores.scores[0].count(CellScore::kInside), 1);
  EXPECT_TRUE(scores.scores[0].cells[0].inside);
  EXPECT_DOUBLE_EQ(*scores.scores[0].cells[1].loss, bad.loss_nats);
  EXPECT_FALSE(scores.scores[0].cells[1].inside);
  EXPECT_TRUE(counts(scores.scores[0].cells[1].score));
  EXPECT_FALSE(scores.scores[0].cells[2].loss);
}

TEST_F(ScoreTest, ARunThatBeganBeforeItsPredictionDoesNotCount) {
  std::vector<SyntheticRun> runs = ladder();
  const fs::path record = write(runs);
  HeldOutPredictions found = predict_held_out(record, {});
  register_predictions(found);
  runs.back().started = true;  // on the second of January, it says
  runs.back().loss_nats = found.predictions[0].cells[0].loss;
  write_synthetic_run(runs_, runs.back());
  const Scores scores = score_predictions(record, {});
  EXPECT_EQ(scores.scores.at(0).counted(), 0);
  EXPECT_TRUE(scores.scores[0].cells[0].inside);
  EXPECT_NE(scores.scores[0].cells[0].why.find("began at 2026-01-02T03:04:05Z, before"),
            std::string::npos);
}

TEST_F(ScoreTest, ADivergedRunIsAMiss) {
  const std::vector<SyntheticRun> runs = ladder_with(2);
  const fs::path record = write(runs);
  const double loss = registered(record).predictions[0].cells[0].loss;
  end(runs[7], loss);
  end(runs[8], loss, RunState::kDiverged);
  const Score score = score_predictions(record, {}).scores.at(0);
  EXPECT_EQ(score.counted(), 2);
  EXPECT_EQ(score.count(CellScore::kInside), 1);
  EXPECT_EQ(score.cells[1].score, CellScore::kDiverged);
  EXPECT_EQ(score.sizes(), 1);
  const std::string text = page(record);
  EXPECT_NE(text.find("1 of 2 losses lie in their 95% intervals (1 prediction); 1 diverged"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("The 2 runs share 1 prediction: runs of one N and D"), std::string::npos)
      << text;
  EXPECT_NE(text.find("Not counted: 1 not started"), std::string::npos) << text;
}

TEST_F(ScoreTest, WhatDoesNotCountIsToldWithItsReason) {
  std::vector<SyntheticRun> runs = ladder();
  const fs::path record = write(runs);
  const double loss = registered(record).predictions[0].cells[0].loss;
  runs[7].started = true;
  runs[7].loss_nats = loss;
  write_synthetic_run(runs_, runs[7]);
  const std::string text = page(record);
  EXPECT_NE(
      text.find("None of the 1 run that it predicts counts: 1 began before it was predicted."),
      std::string::npos)
      << text;
}

TEST_F(ScoreTest, ARunThatWasPredictedUnderAnotherNameIsSaidToBe) {
  const std::vector<SyntheticRun> runs = ladder_with(1);
  const fs::path record = write(runs);
  SweepRecord sweep = read_sweep_record(record);
  const SweepCell second = sweep.cells.back();
  sweep.cells.pop_back();
  write_sweep_record(record, sweep);
  end(runs[7], registered(record).predictions.at(0).cells.at(0).loss);
  sweep.cells.push_back(second);
  for (const std::size_t i : {7, 8}) sweep.cells[i].hold_out->prediction = "again";
  write_sweep_record(record, sweep);
  const Prediction again = registered(record).predictions.at(0);
  EXPECT_EQ(again.cells.size(), 1u);
  ASSERT_EQ(again.left_out.size(), 1u);
  EXPECT_EQ(again.left_out[0].reason, "held out, and predicted as hero before it began");
}

TEST_F(ScoreTest, OtherPredictionsOfACellAreNamedAndScored) {
  std::vector<SyntheticRun> runs = ladder();
  registered(write(runs));
  fs::rename(runs_ / "predictions", temp_.path() / "aside");
  fs::remove_all(runs_);
  runs[7].prediction = "other";
  const fs::path record = write(runs);
  fs::rename(temp_.path() / "aside", runs_ / "predictions");
  HeldOutPredictions found = predict_held_out(record, {});
  const std::vector<std::string> others = others_of_the_same(found);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others[0].find("prediction hero, registered at 2"), 0u) << others[0];
  register_predictions(found);
  const Scores scores = score_predictions(record, {});
  ASSERT_EQ(scores.scores.size(), 2u);
  EXPECT_EQ(scores.scores[0].prediction.name, "other");
  EXPECT_EQ(scores.scores[1].prediction.name, "hero");
}

TEST_F(ScoreTest, APredictionIsScoredThoughItsSweepHoldsNothingOutAnyLonger) {
  const fs::path record = write(ladder());
  registered(record);
  SweepRecord sweep = read_sweep_record(record);
  sweep.cells[7].hold_out.reset();
  write_sweep_record(record, sweep);
  EXPECT_EQ(score_predictions(record, {}).scores.size(), 1u);
  EXPECT_EQ(score_predictions(prediction_file(runs_, "hero"), {}).scores.size(), 1u);
  fs::remove(record);
  EXPECT_EQ(score_predictions(prediction_file(runs_, "hero"), {}).scores.size(), 1u);
  EXPECT_NE(
      error_of([&] { score_predictions(prediction_file(runs_, "none"), {}); }).find("no such file"),
      std::string::npos);
}

}  // namespace
}  // namespace scalelaw
