// What a sweep's file asks for before anything runs, when it changes, and when it is too much.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/sweeps/sweep_program_fixture.h"

namespace scalelaw {
namespace {

TEST_F(SweepProgram, PlanStartsAndWritesNothing) {
  write_spec("[1, 2, 1]");
  const ProgramResult result = run_program(command("plan", {"--cores", "2"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.output.find("merged:  1 cell equals another"), std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("non_embedding"), std::string::npos) << result.output;
  EXPECT_FALSE(fs::exists(runs_));
  const auto json = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
  EXPECT_EQ(json.at("cells").size(), 2u);
}

TEST_F(SweepProgram, AChangedFileSaysWhatStaysIsNewAndIsGone) {
  write_spec("[1, 2]");
  EXPECT_NE(run_program(command("plan", {"--diff"})).output.find("nothing to compare with"),
            std::string::npos);
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_NE(run_program(command("plan", {"--diff"})).output.find("unchanged: "), std::string::npos);
  write_spec("[2, 3, 4]");
  const std::string said = run_program(command("plan", {"--diff"})).output;
  EXPECT_NE(said.find("changed: since its last run 1 cell stays, 2 are new ("), std::string::npos)
      << said;
  EXPECT_NE(said.find("1 is no longer asked for (what was run stays in the store)"),
            std::string::npos);
  EXPECT_NE(said.find("\n  - transformer_"), std::string::npos) << said;
  EXPECT_NE(said.find("  complete\n"), std::string::npos) << said;
  EXPECT_NE(run().output.find("changed: since its last run"), std::string::npos);
  EXPECT_EQ(attempts(0), 1);
}

TEST_F(SweepProgram, NewCellsOfOneNameAreToldApartByWhatDiffers) {
  const auto write_rates = [&](const std::string& rates) {
    write_spec("[1]");
    std::ofstream spec(spec_, std::ios::app);
    spec << "arms:\n";
    for (const char rate : rates) {
      spec << "  a" << rate << ": {train.learning_rate: 0.0" << rate << "}\n";
    }
  };
  write_rates("1");
  ASSERT_EQ(run().exit_code, 0);
  write_rates("123");
  const std::string said = run_program(command("plan", {"--diff"})).output;
  EXPECT_NE(said.find("1 cell stays, 2 are new ("), std::string::npos) << said;
  EXPECT_NE(said.find("of one core  (train.learning_rate 0.02)\n"), std::string::npos) << said;
  EXPECT_NE(said.find("of one core  (train.learning_rate 0.03)\n"), std::string::npos) << said;
}

// Two sizes, the larger one held out.
TEST_F(SweepProgram, WhatCannotBePredictedEndsWithOneAndSaysWhatToDo) {
  write_spec("[1]");
  std::ofstream(spec_, std::ios::app)
      << "arms: {small: {model.d_model: 16}, large: {model.d_model: 64}}\n"
         "hold_out: {where: N > 40k, register: large}\n";
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("predicting 1 held-out cell"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("nothing was registered, and the same command alone ends so again"),
            std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find(" NAME --reason TEXT). Then go on with:\n  scalelaw sweep run "),
            std::string::npos)
      << result.output;
  EXPECT_EQ(result.output.find("Go on with:"), std::string::npos) << result.output;
  EXPECT_EQ(states(), "complete waiting");
}

// `script` stands in for the program that predicts.
class StandInPrediction : public SweepProgram {
 protected:
  std::vector<std::string> run_with(const std::string& script) const {
    write_spec();
    const fs::path bin = temp_.path() / "bin";
    fs::create_directories(bin);
    fs::copy_file(program_path("scalelaw-sweep"), bin / "scalelaw-sweep",
                  fs::copy_options::skip_existing);
    std::ofstream(bin / "scalelaw-fit") << "#!/bin/sh\n" + script + "\n";
    fs::permissions(bin / "scalelaw-fit", fs::perms::owner_all);
    std::vector<std::string> words = command("run");
    words.front() = (bin / "scalelaw-sweep").string();
    return words;
  }

 private:
  void write_spec() const {
    std::ofstream(spec_) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                            "horizon: {tokens: 2000}\nmodel: {n_ctx: 8}\n"
                            "train: {batch_tokens: 32}\nevaluate: {tokens: 64}\n"
                            "grid: {model.d_model: [16, 64]}\n"
                            "hold_out: {where: N > 40k, register: large}\n";
  }
};

TEST_F(StandInPrediction, ThatIsKilledIsNoFaultOfTheSweepAndTheSameCommandGoesOn) {
  const ProgramResult result = run_program(run_with("kill -9 $$"));
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_NE(result.output.find("stopped: the prediction was killed by signal 9 (Killed), perhaps "
                               "for want of memory; nothing is registered\n"),
            std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("Go on with:\n"), std::string::npos) << result.output;
  EXPECT_EQ(result.output.find("hold other cells out"), std::string::npos) << result.output;
}

TEST_F(StandInPrediction, ThatFailsOtherwiseIsToldAndNotTakenForTooFewRuns) {
  const ProgramResult result = run_program(run_with("echo a damaged run >&2; exit 1"));
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("predicting 1 held-out cell\na damaged run\n"), std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("stopped: the prediction ended with exit 1; nothing is registered\n"
                               "Go on with:\n"),
            std::string::npos)
      << result.output;
  EXPECT_EQ(result.output.find("hold other cells out"), std::string::npos) << result.output;
}

// Each says its launcher's process id, and waits until both have begun.
TEST_F(StandInPrediction, OfEachLauncherIsShownByThatLauncherAlone) {
  const fs::path begun = temp_.path() / "begun";
  const std::vector<std::string> words =
      run_with("echo \"of $PPID.\"\nmkdir -p " + begun.string() +
               "/$$ || exit 4\ni=0\nwhile [ $(ls " + begun.string() +
               " | wc -l) -lt 2 ] && [ $i -lt 1000 ]; do sleep 0.01; i=$((i + 1)); done\nexit 2");
  const std::vector<fs::path> outputs = {temp_.path() / "one", temp_.path() / "two"};
  std::vector<pid_t> launchers;
  for (const fs::path& output : outputs) launchers.push_back(start_program(words, output));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(wait_for(launchers[i]).exit_code, 1);
    const std::string said = text_of(outputs[i]);
    EXPECT_NE(said.find("of " + std::to_string(launchers[i]) + ".\n"), std::string::npos) << said;
    EXPECT_EQ(said.find("of " + std::to_string(launchers[1 - i]) + ".\n"), std::string::npos)
        << said;
  }
}

TEST_F(SweepProgram, ADamagedPredictionStopsRunAloneAndNoView) {
  write_spec("[1, 2]");
  std::ofstream(spec_, std::ios::app) << "hold_out: {where: seeds.init == 2, register: large}\n";
  fs::create_directories(runs_ / "predictions");
  std::ofstream(runs_ / "predictions" / "large.json") << "{";
  const ProgramResult refused = run();
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_NE(refused.output.find("hold_out.register = large: cannot be read: "), std::string::npos)
      << refused.output;
  EXPECT_EQ(states(), "missing waiting") << "nothing has begun";
  const ProgramResult planned = run_program(command("plan"));
  EXPECT_EQ(planned.exit_code, 0);
  EXPECT_NE(planned.output.find("warning: line 9 of "), std::string::npos) << planned.output;
  for (const auto& [verb, more] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"plan", {"--diff"}},
           {"watch", {"--once"}},
           {"exclude", {"*i2d1*", "--reason", "its prediction is damaged"}}}) {
    const ProgramResult result = run_program(command(verb, more));
    EXPECT_EQ(result.exit_code, 0) << verb << ": " << result.output;
  }
  EXPECT_EQ(run().exit_code, 0) << "what is left out waits for no prediction";
}

TEST_F(SweepProgram, MoreRunsThanItWasToldToAreNotStarted) {
  write_spec("[1, 2, 3]");
  const ProgramResult refused = run({"--yes", "2"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("3 runs are to be started, more than 2"), std::string::npos);
  EXPECT_NE(refused.output.find("add --yes 3"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(sweep_record_file(runs_, "s")));
  EXPECT_EQ(run({"--yes", "3"}).exit_code, 0);
}

}  // namespace
}  // namespace scalelaw
