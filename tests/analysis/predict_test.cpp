#include "analysis/predict/held_out.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/predict/predicting_law.h"
#include "analysis/predict/registration.h"
#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class PredictTest : public testing::Test {
 protected:
  // Seven sizes on a power law, and an eighth that is held out and not begun.
  std::vector<SyntheticRun> ladder() const {
    std::vector<SyntheticRun> runs = power_law_runs("transformer", 2.2, .1, .004, 8, 1, 5);
    runs.back().prediction = "hero";
    runs.back().started = false;
    return runs;
  }
  fs::path write(const std::vector<SyntheticRun>& runs) const {
    return write_synthetic_sweep(runs_, "s", runs);
  }
  static std::string error_of(const std::function<void()>& call) {
    try {
      call();
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
  static std::string refusal(const fs::path& record) {
    return error_of([&] { predict_held_out(record, {}); });
  }
  static PredictedCell predicted(const fs::path& record) {
    return predict_held_out(record, {}).predictions.at(0).cells.at(0);
  }

  TempDir temp_;
  fs::path runs_ = temp_.path() / "runs";
};

TEST_F(PredictTest, ALadderOfOneDPredictsTheNextSize) {
  const std::vector<SyntheticRun> runs = ladder();
  const HeldOutPredictions found = predict_held_out(write(runs), {});
  ASSERT_EQ(found.predictions.size(), 1u);
  const Prediction& hero = found.predictions[0];
  EXPECT_EQ(hero.name, "hero");
  EXPECT_EQ(hero.sweep, "s");
  EXPECT_EQ(hero.test_set, "default");
  EXPECT_EQ(hero.metric, "nats_per_token");
  EXPECT_EQ(hero.n_count, "non_embedding");
  EXPECT_EQ(hero.registered_at, "");
  EXPECT_EQ(hero.runs.size(), 7u);
  ASSERT_EQ(hero.cells.size(), 1u);
  const PredictedCell& cell = hero.cells[0];
  EXPECT_EQ(cell.arm, "transformer");
  EXPECT_EQ(cell.runs.size(), 7u);
  EXPECT_EQ(cell.laws.at(0).id, "power");
  EXPECT_EQ(cell.laws.at(0).over, "D = 2.5M tokens");
  EXPECT_EQ(cell.laws.at(1).id, "power_floor") << "no floor is told from none";
  EXPECT_NE(cell.why.find("do not tell a floor from none (E from 0 to"), std::string::npos);
  const double truth = 2.2 * std::pow(cell.n / 1e4, -.1);
  EXPECT_LT(cell.low, truth);
  EXPECT_GT(cell.high, truth);
  EXPECT_NEAR(cell.loss, truth, .02 * truth);
  EXPECT_LT(cell.high / cell.low, 1.1);
}

TEST_F(PredictTest, AFloorThatIsToldFromNoneGivesTheLoss) {
  std::vector<SyntheticRun> runs = ladder();
  for (SyntheticRun& run : runs) run.loss_nats = 1.6 + .8 * std::pow(run.loss_nats / 2.2, 3);
  const PredictedCell cell = predicted(write(runs));
  ASSERT_EQ(cell.laws.size(), 1u);
  EXPECT_EQ(cell.laws[0].id, "power_floor");
  EXPECT_LT(cell.low, runs.back().loss_nats);
  EXPECT_GT(cell.high, runs.back().loss_nats);
}

TEST_F(PredictTest, HeldOutRunsAreNeverUsed) {
  std::vector<SyntheticRun> runs = ladder();
  const PredictedCell before = predicted(write(runs));
  for (const double loss : {runs.back().loss_nats, 1.0, 6.0}) {
    fs::remove_all(runs_);
    runs.back().started = true;
    runs.back().loss_nats = loss;
    EXPECT_EQ(predicted(write(runs)), before) << loss;
  }
  // Nor those that another name holds out.
  fs::remove_all(runs_);
  runs[6].prediction = "other";
  runs[6].loss_nats = 3;
  EXPECT_EQ(predicted(write(runs)).runs.size(), 6u);
}

TEST_F(PredictTest, ALadderOfOneRatioPredictsWhereNoOtherRunHasItsD) {
  std::vector<SyntheticRun> runs = power_law_runs("lstm", 2.2, .1, .004, 8, 1, 5);
  for (SyntheticRun& run : runs) {
    run.arch = "lstm";
    const double n = 8.0 * static_cast<double>(run.d_model * run.d_model);
    run.train_tokens = 1024 * std::llround(300 * n / 1024);
  }
  runs.back().prediction = "hero";
  runs.back().started = false;
  const PredictedCell cell = predicted(write(runs));
  EXPECT_NE(cell.laws.at(0).over.find("D / N = 3"), std::string::npos) << cell.laws.at(0).over;
  EXPECT_EQ(cell.runs.size(), 7u);
  EXPECT_LT(cell.low, runs.back().loss_nats);
  EXPECT_GT(cell.high, runs.back().loss_nats);
}

// Three sizes at each of four D; held out is a larger size at twice the largest D.
std::vector<SyntheticRun> surface() {
  std::vector<SyntheticRun> runs;
  const auto add = [&](int64_t width, int64_t steps) {
    SyntheticRun run;
    run.d_model = width;
    run.train_tokens = 1024 * steps;
    run.learning_rate = .08 / std::sqrt(static_cast<double>(width * steps));
    const double n = 24.0 * static_cast<double>(width * width);
    run.loss_nats = 1.5 + 8 * std::pow(n, -.3) +
                    60 * std::pow(static_cast<double>(run.train_tokens), -.32) +
                    .002 * std::cos(static_cast<double>(7 * width + steps));
    runs.push_back(run);
  };
  for (const int64_t width : {16, 32, 64}) {
    for (const int64_t steps : {500, 1000, 2000, 4000}) add(width, steps);
  }
  add(96, 8000);
  runs.back().prediction = "hero";
  runs.back().started = false;
  return runs;
}

TEST_F(PredictTest, OfSeveralTestSetsTheSweepsOwnChoiceIsPredicted) {
  std::vector<SyntheticRun> runs = ladder();
  for (SyntheticRun& run : runs) run.test_sets = {"novels", "letters"};
  EXPECT_NE(refusal(write(runs)).find("choose one with --test-set: letters, novels"),
            std::string::npos);
  fs::remove_all(runs_);
  runs.back().predicted_test_set = "novels";
  const fs::path record = write(runs);
  EXPECT_EQ(predict_held_out(record, {}).predictions.at(0).test_set, "novels");
  Selection asked;
  asked.test_set = "letters";
  EXPECT_EQ(predict_held_out(record, asked).predictions.at(0).test_set, "letters");
}

TEST_F(PredictTest, RunsOfManyDPredictByTheSurface) {
  std::vector<SyntheticRun> runs = surface();
  const PredictedCell cell = predicted(write(runs));
  ASSERT_EQ(cell.laws.size(), 1u);
  EXPECT_EQ(cell.laws[0].id, "chinchilla");
  EXPECT_EQ(cell.laws[0].constants.size(), 5u);
  EXPECT_EQ(cell.runs.size(), 12u);
  EXPECT_LT(cell.low, runs.back().loss_nats);
  EXPECT_GT(cell.high, runs.back().loss_nats);
  EXPECT_LT(cell.high / cell.low, 1.1);
}

TEST_F(PredictTest, WhatIsMissingIsSaid) {
  std::vector<SyntheticRun> runs = surface();
  runs.erase(runs.begin(), runs.begin() + 8);  // one size at four D
  const std::string none = refusal(write(runs));
  EXPECT_NE(none.find("no law predicts transformer_w96"), std::string::npos) << none;
  EXPECT_NE(none.find("at D = 8.19M tokens, 0 sizes are complete, and a power law needs 3"),
            std::string::npos)
      << none;
  EXPECT_NE(none.find("of 3 sizes and 3 D at least, and there are 4, of 1 sizes and 4 D"),
            std::string::npos)
      << none;
  EXPECT_NE(none.find("sweep status"), std::string::npos);
  fs::remove_all(runs_);
  EXPECT_NE(refusal(write({runs.back()})).find("no run is complete"), std::string::npos);
  fs::remove_all(runs_);
  runs.pop_back();
  EXPECT_NE(refusal(write(runs)).find("sweep s holds nothing out"), std::string::npos);
}

TEST_F(PredictTest, SeveralRatesAtItsOwnDAreRefusedWithTheWayOut) {
  std::vector<SyntheticRun> runs = ladder();
  runs.push_back(runs[2]);
  runs.back().learning_rate *= 2;
  const std::string refused = refusal(write(runs));
  EXPECT_NE(refused.find("several learning rates"), std::string::npos) << refused;
  EXPECT_NE(refused.find("sweep exclude"), std::string::npos) << refused;
}

TEST(PredictingLaw, ConstantsCanBeWrittenDown) {
  const double infinity = std::numeric_limits<double>::infinity();
  const PredictingLaw law =
      predicting_law(power_law(), {{"N_c", infinity}, {"E", std::exp(kNoFloor)}, {"a", .1}}, "all");
  EXPECT_EQ(law.id, "power");
  EXPECT_EQ(law.constants[0].value, std::numeric_limits<double>::max());
  EXPECT_EQ(law.constants[1].value, 0);
  EXPECT_EQ(law.constants[2].value, .1);
}

TEST_F(PredictTest, AFloorThatCannotBeLookedIntoIsNoPrediction) {
  std::vector<SyntheticRun> runs = ladder();
  for (SyntheticRun& run : runs) run.loss_nats = 2.2 * std::pow(run.loss_nats / 2.2, 1e-3);
  EXPECT_NE(refusal(write(runs)).find("whether they have a floor cannot be looked into"),
            std::string::npos);
}

TEST_F(PredictTest, ARisingLossPredictsNothing) {
  std::vector<SyntheticRun> runs = ladder();
  for (SyntheticRun& run : runs) run.loss_nats = 6 / run.loss_nats;
  EXPECT_NE(refusal(write(runs)).find("the loss rises with size"), std::string::npos);
}

TEST_F(PredictTest, TroubleInOtherRunsIsNoneOfItsOwn) {
  std::vector<SyntheticRun> runs = ladder();
  const PredictedCell before = predicted(write(runs));
  fs::remove_all(runs_);
  SyntheticRun other = runs[2];  // another rate at another D, and two rates in another arm
  other.train_tokens /= 2;
  other.learning_rate *= 2;
  runs.push_back(other);
  for (const double rate : {.01, .02}) {
    other.arm = other.arch = "lstm";
    other.learning_rate = rate;
    runs.push_back(other);
  }
  PredictedCell after = predicted(write(runs));
  EXPECT_EQ(after, before);
}

TEST_F(PredictTest, RegisteredOnceBeforeTheRun) {
  const fs::path record = write(ladder());
  HeldOutPredictions found = predict_held_out(record, {});
  EXPECT_TRUE(register_predictions(found).empty());
  const Prediction registered = *find_prediction(runs_, "hero");
  EXPECT_EQ(registered, found.predictions[0]);
  EXPECT_TRUE(is_utc_time(registered.registered_at));
  // A second time, with more known, nothing changes.
  const std::string content = read_whole_file(prediction_file(runs_, "hero"));
  HeldOutPredictions again = predict_held_out(record, {});
  const std::string refused = error_of([&] { register_predictions(again); });
  EXPECT_NE(
      refused.find("prediction hero was registered at " + registered.registered_at + " and stands"),
      std::string::npos)
      << refused;
  EXPECT_EQ(read_whole_file(prediction_file(runs_, "hero")), content);
}

TEST_F(PredictTest, ANewNameIsRegisteredBesideOneThatStands) {
  std::vector<SyntheticRun> runs = ladder();
  HeldOutPredictions found = predict_held_out(write(runs), {});
  register_predictions(found);
  const std::string content = read_whole_file(prediction_file(runs_, "hero"));
  fs::rename(runs_ / "predictions", temp_.path() / "aside");
  fs::remove_all(runs_);
  SyntheticRun more = runs.back();
  more.seed = 2;
  runs.push_back(more);  // under the same name: too late for it
  more.seed = 3;
  more.prediction = "second";
  runs.push_back(more);
  found = predict_held_out(write(runs), {});
  fs::rename(temp_.path() / "aside", runs_ / "predictions");
  const std::vector<std::string> standing = register_predictions(found);
  ASSERT_EQ(standing.size(), 1u);
  EXPECT_NE(standing[0].find("and stands; it predicts nothing of transformer_w"), std::string::npos)
      << standing[0];
  EXPECT_EQ(read_whole_file(prediction_file(runs_, "hero")), content);
  EXPECT_TRUE(find_prediction(runs_, "second"));
}

TEST_F(PredictTest, WhatHasBegunIsNotRegistered) {
  std::vector<SyntheticRun> runs = ladder();
  runs.back().started = true;
  for (const bool complete : {true, false}) {
    fs::remove_all(runs_);
    runs.back().complete = complete;
    HeldOutPredictions found = predict_held_out(write(runs), {});
    const std::string refused = error_of([&] { register_predictions(found); });
    EXPECT_NE(refused.find(complete ? "is complete" : "has begun at 2026-01-02T03:04:05Z"),
              std::string::npos)
        << refused;
    EXPECT_NE(refused.find("registered after the fact is no prediction"), std::string::npos);
    EXPECT_FALSE(find_prediction(runs_, "hero"));
  }
}

TEST_F(PredictTest, ACompleteRunIsPassedOverWhereAnotherIsStillToCome) {
  std::vector<SyntheticRun> runs = ladder();
  SyntheticRun done = runs.back();
  done.seed = 2;
  done.started = done.complete = true;
  runs.push_back(done);
  HeldOutPredictions found = predict_held_out(write(runs), {});
  const std::vector<std::string> told = register_predictions(found);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("is complete already and left out of it"), std::string::npos) << told[0];
  EXPECT_EQ(find_prediction(runs_, "hero")->cells.size(), 1u);
}

TEST_F(PredictTest, ScoresSetWhatBecameOfARunBesideItsPrediction) {
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
  EXPECT_EQ(scores.scores.at(0).counted, 0);
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
  EXPECT_EQ(scores.scores[0].counted, 2);
  EXPECT_EQ(scores.scores[0].inside, 1);
  EXPECT_TRUE(scores.scores[0].cells[0].inside);
  EXPECT_DOUBLE_EQ(*scores.scores[0].cells[1].loss, bad.loss_nats);
  EXPECT_FALSE(scores.scores[0].cells[1].inside);
  EXPECT_TRUE(scores.scores[0].cells[1].counts);
  EXPECT_FALSE(scores.scores[0].cells[2].loss);
}

TEST_F(PredictTest, ARunThatBeganBeforeItsPredictionDoesNotCount) {
  std::vector<SyntheticRun> runs = ladder();
  const fs::path record = write(runs);
  HeldOutPredictions found = predict_held_out(record, {});
  register_predictions(found);
  runs.back().started = true;  // on the second of January, it says
  runs.back().loss_nats = found.predictions[0].cells[0].loss;
  write_synthetic_run(runs_, runs.back());
  const Scores scores = score_predictions(record, {});
  EXPECT_EQ(scores.scores.at(0).counted, 0);
  EXPECT_TRUE(scores.scores[0].cells[0].inside);
  EXPECT_NE(scores.scores[0].cells[0].why.find("began at 2026-01-02T03:04:05Z, before"),
            std::string::npos);
}

TEST_F(PredictTest, ProgramRegistersAndScores) {
  const std::string record = write(ladder()).string();
  const auto run = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"scalelaw-fit", "predict"});
    return run_program(arguments);
  };
  ProgramResult result = run({record});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("Not registered."), std::string::npos) << result.output;
  EXPECT_FALSE(fs::exists(runs_ / "predictions"));
  result = run({record, "--register"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find(prediction_file(runs_, "hero").string()), std::string::npos);
  result = run({record, "--register"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("scalelaw predict: error: prediction hero was registered at"),
            std::string::npos)
      << result.output;
  result = run({record, "--score", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const auto score = nlohmann::json::parse(result.output);
  EXPECT_EQ(score["predictions"][0]["counted"], 0);
  EXPECT_TRUE(score["predictions"][0]["cells"][0]["loss"].is_null());
  result = run({record, "--json"});
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_TRUE(json["predictions"][0]["registered_at"].is_null());
  EXPECT_NE(json["warnings"].dump().find("and stands"), std::string::npos);
  for (const std::vector<std::string>& bad :
       {std::vector<std::string>{record, "--score", "--register"},
        {record, "--score", "--n-count", "total"},
        {(runs_ / "none.json").string()},
        {runs_.string()}}) {
    EXPECT_EQ(run(bad).exit_code, 2);
  }
  std::ofstream(prediction_file(runs_, "hero")) << "{";
  result = run({record, "--score"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("is damaged or no prediction"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace scalelaw
