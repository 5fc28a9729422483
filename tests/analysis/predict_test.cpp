#include "analysis/predict/held_out.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/predict/predicting_law.h"
#include "analysis/predict/registration.h"
#include "tests/analysis/predict_fixture.h"
#include "tests/support/program.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

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

SyntheticRun on_surface(int64_t width, int64_t steps) {
  SyntheticRun run;
  run.d_model = width;
  run.train_tokens = 1024 * steps;
  run.learning_rate = .08 / std::sqrt(static_cast<double>(width * steps));
  const double n = 24.0 * static_cast<double>(width * width);
  run.loss_nats = 1.5 + 8 * std::pow(n, -.3) +
                  60 * std::pow(static_cast<double>(run.train_tokens), -.32) +
                  .002 * std::cos(static_cast<double>(7 * width + steps));
  return run;
}

// Three sizes at each of four D; held out is a larger size at twice the largest D.
std::vector<SyntheticRun> surface() {
  std::vector<SyntheticRun> runs;
  for (const int64_t width : {16, 32, 64}) {
    for (const int64_t steps : {500, 1000, 2000, 4000}) runs.push_back(on_surface(width, steps));
  }
  runs.push_back(on_surface(96, 8000));
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
  HeldOutPredictions found = predict_held_out(record, asked);
  EXPECT_EQ(found.predictions.at(0).test_set, "letters") << "to look at";
  const std::string refused = error_of([&] { register_predictions(found); });
  EXPECT_NE(refused.find("predicts the loss on novels, and --test-set asks for letters"),
            std::string::npos)
      << refused;
  EXPECT_FALSE(find_prediction(runs_, "hero"));
  asked.test_set = "novels";
  found = predict_held_out(record, asked);
  register_predictions(found);
  EXPECT_TRUE(find_prediction(runs_, "hero"));
}

// A batch that follows D, which three sizes share.
TEST_F(PredictTest, ANumberThatFollowsDIsNoOtherRecipe) {
  const std::vector<SyntheticRun> runs = surface();
  const fs::path record = write(runs);
  const auto other = [&](int64_t held_out) {
    SweepRecord sweep = read_sweep_record(record);
    for (std::size_t i = 0; i < sweep.cells.size(); ++i) {
      const int64_t batch = i + 1 < runs.size() ? runs[i].train_tokens / 1000 : held_out;
      sweep.cells[i].recipe = {{"train.batch_tokens", std::to_string(batch)}};
    }
    write_sweep_record(record, sweep);
    return predict_held_out(record, {}).predictions.at(0).cells.at(0).other_recipe;
  };
  EXPECT_EQ(other(8192), "");
  EXPECT_NE(other(3000), "") << "below those of smaller D";
  EXPECT_NE(other(80'000), "") << "far above";
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

// Nearly level: the fit with a floor has no limit.
TEST_F(PredictTest, WhereAFloorBoundsNothingTheIntervalReachesToTheLargestSize) {
  std::vector<SyntheticRun> runs = ladder();
  for (SyntheticRun& run : runs) run.loss_nats = 2.2 * std::pow(run.loss_nats / 2.2, 1e-3);
  const PredictedCell cell = predicted(write(runs));
  EXPECT_NE(cell.why.find("the interval reaches up to what they allow at the largest size below"),
            std::string::npos)
      << cell.why;
  EXPECT_EQ(cell.laws.size(), 1u);
  EXPECT_GT(cell.high, runs[6].loss_nats);
  EXPECT_LT(cell.low, runs[6].loss_nats);
}

// Three sizes at the run's own D leave one degree of freedom, the surface over all runs eight.
TEST_F(PredictTest, ASurfaceComesBeforeAFewSizesAtItsOwnD) {
  std::vector<SyntheticRun> runs = surface();
  runs.back().train_tokens = runs[3].train_tokens;
  const fs::path record = write(runs);
  EXPECT_EQ(predicted(record).laws.at(0).id, "chinchilla");
  fs::remove_all(runs_);
  std::erase_if(
      runs, [&](const SyntheticRun& run) { return run.train_tokens != runs.back().train_tokens; });
  const PredictedCell cell = predicted(write(runs));
  EXPECT_EQ(cell.runs.size(), 3u) << "which give it where nothing else does";
  EXPECT_EQ(cell.laws.at(0).id, "power");
}

// Six runs that differ in N or D leave a surface one degree of freedom, as four sizes do a law with
// a floor; three sizes leave it none.
TEST_F(PredictTest, OfChoicesThatSayLittleTheOneOfMostDegreesOfFreedomGivesTheLoss) {
  std::vector<SyntheticRun> runs;
  for (const int64_t width : {16, 24, 32, 64}) runs.push_back(on_surface(width, 4000));
  runs.push_back(on_surface(16, 2000));
  runs.push_back(on_surface(32, 8000));
  runs.push_back(on_surface(96, 4000));
  runs.back().prediction = "hero";
  runs.back().started = false;
  PredictedCell cell = predicted(write(runs));
  EXPECT_EQ(cell.runs.size(), 4u);
  EXPECT_NE(cell.laws.at(0).id, "chinchilla");
  fs::remove_all(runs_);
  runs.push_back(on_surface(64, 1000));
  cell = predicted(write(runs));
  EXPECT_EQ(cell.runs.size(), 7u) << "two degrees of freedom";
  EXPECT_EQ(cell.laws.at(0).id, "chinchilla");
  fs::remove_all(runs_);
  runs.erase(runs.begin() + 1);
  cell = predicted(write(runs));
  EXPECT_EQ(cell.runs.size(), 6u);
  EXPECT_NE(cell.why.find("with one degree of freedom"), std::string::npos) << cell.why;
}

// Losses on a straight line to the last digit, and seeds of other sizes that scatter.
TEST_F(PredictTest, ALuckyLineIsNoNarrowerThanTheNoiseBetweenSeeds) {
  std::vector<SyntheticRun> runs = power_law_runs("transformer", 2.2, .1, 0, 8, 1, 5);
  runs.back().prediction = "hero";
  runs.back().started = false;
  const PredictedCell quiet = predicted(write(runs));
  fs::remove_all(runs_);
  const double sd = .01;
  for (int i = 0; i < 4; ++i) {
    for (const int seed : {1, 2}) {
      SyntheticRun run = runs[static_cast<std::size_t>(i)];
      run.train_tokens /= 2;
      run.seed = seed;
      run.loss_nats *= std::exp((seed == 1 ? 1 : -1) * sd / std::sqrt(2));
      runs.push_back(run);
    }
  }
  const PredictedCell cell = predicted(write(runs));
  EXPECT_EQ(cell.runs.size(), 7u);
  EXPECT_LT(std::log(quiet.high / quiet.low), .01);
  EXPECT_GT(std::log(cell.high / cell.low), 2 * 1.96 * sd * std::sqrt(4. / 9.))
      << "four degrees of freedom pooled with five that show nothing";
  EXPECT_NE(cell.why.find("from 95% to 100% held the loss"), std::string::npos) << cell.why;
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
  const Prediction hero = *find_prediction(runs_, "hero");
  EXPECT_EQ(hero.cells.size(), 1u);
  EXPECT_EQ(hero.left_out.at(0).reason, "held out, and complete before it was predicted");
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
  EXPECT_NE(result.output.find("is damaged, edited or no prediction"), std::string::npos)
      << result.output;
}

}  // namespace
}  // namespace scalelaw
