// A sweep whose rates are tuned, run as a user would: stages, kills between them, a hand needed.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/sweeps/sweep_program_fixture.h"

namespace scalelaw {
namespace {

class TunedSweep : public SweepProgram {
 protected:
  TunedSweep() { write_tiny_data_set(temp_.path() / "data", {.val_tokens = 1024}); }

  // The stand-in's best rate is the default one.
  void write_tuned(const std::string& rate, const std::string& more = "",
                   const std::string& factors = "[0.5, 1, 2]") {
    std::ofstream(spec_) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                            "horizon: {tokens: 2000}\nmodel: {n_ctx: 8, n_layer: 1}\n"
                            "train: {batch_tokens: 32, learning_rate: "
                         << rate
                         << "}\nevaluate: {tokens: 64}\ngrid: {model.d_model: [16, 32]}\n"
                            "tune: {learning_rate: {where: N <= 4k, factors: "
                         << factors << ", then: fit_law" << more << "}}\n";
  }
  ProgramResult diff() const { return run_program(command("plan", {"--diff"})); }
};

TEST_F(TunedSweep, TrialsThenWhatTheyTell) {
  write_tuned("0.008");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("5 cells, 3 to run, 2 waiting for what these tell"),
            std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("s: 5 cells, 2 to run:"), std::string::npos) << result.output;
  EXPECT_EQ(result.output.find("changed: since its last run"), std::string::npos)
      << "the next stage is no change of the file";
  EXPECT_EQ(states(), "complete complete complete complete complete");
  const auto plan = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
  const auto& scan = plan.at("tuned").at("learning_rate").at("scans").at(0);
  EXPECT_EQ(scan.at("taken").at("kind"), "interior");
  EXPECT_NEAR(scan.at("taken").at("rate").get<double>(), 0.01, 2e-4) << scan.dump();
  const SweepRecord record = read_sweep_record(sweep_record_file(runs_, "s"));
  EXPECT_TRUE(record.cells[2].is_trial);
  EXPECT_FALSE(record.cells[3].is_trial);
  const ProgramResult again = run();
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_NE(again.output.find("5 cells, 0 to run"), std::string::npos) << again.output;
  EXPECT_EQ(attempts(3), 1);
}

TEST_F(TunedSweep, AFailedTrialKeepsItsCellsWaitingAndTheNextLaunchGoesOn) {
  write_tuned("0.01");
  behave("1001:refuse,ok");
  const ProgramResult failed = run();
  EXPECT_EQ(failed.exit_code, 1) << failed.output;
  EXPECT_EQ(states(), "failed failed failed waiting waiting");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(states(), "complete complete complete complete complete");
}

TEST_F(TunedSweep, WhatATrialToldStaysOnceRunsHaveBegunWithIt) {
  write_tuned("0.01", ", extend_at_edge: 0", "[0.25, 0.5, 1, 1.4]");
  behave("1001:refuse");
  EXPECT_EQ(run().exit_code, 1);
  const auto mend = [&](const std::string& verb, const std::vector<std::string>& more) {
    return run_program(command(verb, more));
  };
  ASSERT_EQ(mend("exclude", {folder_of(0), "--reason", "broken"}).exit_code, 0);
  ASSERT_EQ(mend("exclude", {folder_of(0), "--undo"}).exit_code, 0) << "no run has begun";
  ASSERT_EQ(mend("exclude", {folder_of(0), "--reason", "broken"}).exit_code, 0);
  behave("1001:ok");
  ASSERT_EQ(run().exit_code, 0);
  const ProgramResult taken_in = mend("exclude", {folder_of(0), "--undo"});
  EXPECT_EQ(taken_in.exit_code, 2);
  EXPECT_NE(taken_in.output.find("runs that took their rates from the trials have begun (2 of the "
                                 "sweep); with it they would be asked for at others"),
            std::string::npos)
      << taken_in.output;
  EXPECT_EQ(states(), "excluded complete complete complete complete complete");
  const auto lost = runs_ / folder_of(2);
  fs::rename(lost, runs_ / "aside");
  EXPECT_EQ(mend("exclude", {folder_of(0), "--undo"}).exit_code, 2)
      << "though no rate is known while a trial is lost";
  fs::rename(runs_ / "aside", lost);

  const fs::path record = runs_ / folder_of(3) / "run.json";
  nlohmann::json json = nlohmann::json::parse(text_of(record));
  json["state"] = "diverged";
  fs::remove(record);
  std::ofstream(record) << json;
  ASSERT_EQ(status()[3].at("state"), "diverged");
  ASSERT_EQ(run().exit_code, 0) << "at the rates that it tells now";
  const ProgramResult anew = mend("retry", {"--only", folder_of(3), "--from-scratch"});
  EXPECT_EQ(anew.exit_code, 2);
  EXPECT_NE(anew.output.find("with another result of it they would be asked for at others"),
            std::string::npos)
      << anew.output;
  EXPECT_EQ(status()[3].at("state"), "diverged");
}

TEST_F(TunedSweep, ATrialIsTakenInAgainWhereOnlyAnotherArmHasBegun) {
  write_tuned("0.01", ", extend_at_edge: 0");
  std::ofstream(spec_, std::ios::app) << "arms: {a: {}, b: {train.optimizer.weight_decay: 0.05}}\n";
  behave("1001:refuse");
  EXPECT_EQ(run().exit_code, 1);
  ASSERT_EQ(run_program(command("exclude", {folder_of(0), "--reason", "broken"})).exit_code, 0);
  behave("1001:ok");
  EXPECT_EQ(run().exit_code, 1) << "two rates are left of an arm's";
  ASSERT_EQ(read_sweep_record(sweep_record_file(runs_, "s")).cells.at(6).arm(), "b");
  EXPECT_EQ(run_program(command("exclude", {folder_of(3), "--reason", "late"})).exit_code, 2);
  EXPECT_EQ(run_program(command("exclude", {folder_of(0), "--undo"})).exit_code, 0);
  EXPECT_EQ(run().exit_code, 0);
}

TEST_F(TunedSweep, ALostTrialLetsNoFinishedCellBeForgotten) {
  write_tuned("0.008");
  ASSERT_EQ(run().exit_code, 0);
  const SweepRecord before = read_sweep_record(sweep_record_file(runs_, "s"));
  fs::remove_all(runs_ / folder_of(1));
  const std::string said = diff().output;
  EXPECT_EQ(said.find("unchanged: "), 0u) << said;
  EXPECT_NE(said.find("holds the same 3 cells; 2 more wait (at the file's rates "),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("; 2 of the last run's may be among them)\n  ? transformer_"),
            std::string::npos)
      << said;
  behave("1001:refuse");
  EXPECT_EQ(run().exit_code, 1);
  const SweepRecord meanwhile = read_sweep_record(sweep_record_file(runs_, "s"));
  EXPECT_EQ(meanwhile.cells, before.cells);
  EXPECT_EQ(meanwhile.waiting, 2) << "that both are named is not certain";
  behave("1001:ok");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(result.output.find("changed: "), std::string::npos) << result.output;
  EXPECT_EQ(read_sweep_record(sweep_record_file(runs_, "s")).cells, before.cells);
}

TEST_F(TunedSweep, ALostTrialCannotBeLeftOutOfWhatItHasTold) {
  write_tuned("0.008");
  ASSERT_EQ(run().exit_code, 0);
  const std::string lost = folder_of(1);
  fs::remove_all(runs_ / lost);
  const ProgramResult refused =
      run_program(command("exclude", {lost, "--reason", "its node died"}));
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_NE(refused.output.find("have begun (2 of the sweep)"), std::string::npos)
      << refused.output;
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(attempts(3), 1);
}

TEST_F(TunedSweep, AnotherNameOfABlockForgetsNothingWhileATrialIsLost) {
  write_tuned("0.008");
  ASSERT_EQ(run().exit_code, 0);
  const std::string lost = folder_of(1);
  fs::remove_all(runs_ / lost);
  std::string spec = text_of(spec_);
  const std::string grid = "grid: {model.d_model: [16, 32]}";
  spec.replace(spec.find(grid), grid.size(), "blocks: [{name: all, " + grid + "}]");
  std::ofstream(spec_) << spec;
  const std::string said = diff().output;
  EXPECT_EQ(said.find("unchanged: "), 0u) << said;
  EXPECT_NE(said.find("; 2 of the last run's may be among them)"), std::string::npos) << said;
  EXPECT_EQ(run_program(command("exclude", {lost, "--reason", "its node died"})).exit_code, 2);
  behave("1001:refuse");
  EXPECT_EQ(run().exit_code, 1);
  const SweepRecord meanwhile = read_sweep_record(sweep_record_file(runs_, "s"));
  ASSERT_EQ(meanwhile.cells.size(), 5u);
  EXPECT_EQ(meanwhile.open, 2);
  EXPECT_EQ(meanwhile.cells.back().places, (std::vector<SweepPlace>{{"", "all"}}));
}

TEST_F(TunedSweep, ALauncherWithNothingLeftWaitsForTheStageThatOthersEnd) {
  write_tuned("0.008");
  const auto start = [&](const std::string& name) {
    std::vector<std::string> words = command("run");
    *std::next(std::ranges::find(words, "--jobs")) = "1";
    return start_program(words, temp_.path() / name);
  };
  const fs::path go = temp_.path() / "go";
  setenv("FAKE_TRAINER_GO", go.c_str(), 1);
  behave("1001:wait");
  const pid_t one = start("one");
  wait_until([&] { return fs::exists(sweep_record_file(runs_, "s")) && running() == 1; });
  behave("1001:ok");
  const pid_t two = start("two");
  const std::string waits =
      "waiting for what other launchers run: 2 cells here wait for what that tells";
  wait_until([&] { return text_of(temp_.path() / "two").find(waits) != std::string::npos; });
  EXPECT_EQ(states(), "running complete complete waiting waiting");
  std::ofstream(go).close();
  EXPECT_EQ(wait_for(one).exit_code, 0) << text_of(temp_.path() / "one");
  EXPECT_EQ(wait_for(two).exit_code, 0) << text_of(temp_.path() / "two");
  EXPECT_EQ(states(), "complete complete complete complete complete");
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(attempts(i), 1) << i;
}

TEST_F(TunedSweep, CellsThatNeverBeganStayInTheRecordOfTheSameFileAlone) {
  write_tuned("0.008");
  ASSERT_EQ(run().exit_code, 0);
  for (const std::size_t cell : {1, 4}) fs::remove_all(runs_ / folder_of(cell));
  EXPECT_NE(diff().output.find("; 2 of the last run's may be among them)"), std::string::npos)
      << diff().output;
  std::ofstream(spec_, std::ios::app) << "# edited\n";
  EXPECT_NE(
      diff().output.find("; 1 of the last run's may be among them), 1 is no longer asked for"),
      std::string::npos)
      << diff().output;
}

TEST_F(TunedSweep, AnotherRecipesRunsAreNotKeptForWhatWaits) {
  write_tuned("0.008");
  ASSERT_EQ(run().exit_code, 0);
  write_tuned("0.008, optimizer.weight_decay: 0.05");
  const std::string said = diff().output;
  EXPECT_EQ(said.find("changed: since its last run 0 cells stay, 3 are new ("), 0u) << said;
  EXPECT_NE(said.find(" FLOPs), 5 are no longer asked for (what was run"), std::string::npos)
      << said;
  behave("1001:refuse");
  EXPECT_EQ(run().exit_code, 1);
  const SweepRecord record = read_sweep_record(sweep_record_file(runs_, "s"));
  EXPECT_EQ(record.cells.size(), 3u);
  EXPECT_EQ(record.waiting, 2);
}

TEST_F(TunedSweep, WhatWaitsIsCountedAmongTheChanges) {
  write_tuned("0.008");
  ASSERT_EQ(run().exit_code, 0);
  write_tuned("0.008", "", "[0.5, 1, 2, 4]");
  const std::string said = diff().output;
  EXPECT_NE(said.find("changed: since its last run 3 cells stay, 1 is new ("), std::string::npos)
      << said;
  EXPECT_NE(said.find(" FLOPs), 2 more wait (at the file's rates "), std::string::npos) << said;
  EXPECT_NE(said.find("; 2 of the last run's may be among them), 0 are no longer asked for\n"),
            std::string::npos)
      << said;
  const auto json = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
  const auto& changes = json.at("since_last_run");
  EXPECT_EQ(changes.at("stay"), 3);
  EXPECT_EQ(changes.at("new").size(), 1u);
  EXPECT_EQ(changes.at("waiting"), 2);
  EXPECT_GT(changes.at("waiting_flops"), 0);
  EXPECT_EQ(changes.at("perhaps_among_waiting").size(), 2u);
  EXPECT_EQ(json.at("cells").size(), 6u) << "all in one of the three";
}

TEST_F(TunedSweep, AnExcludedTrialIsDoneWithout) {
  write_tuned("0.01", ", extend_at_edge: 0");
  behave("1001:refuse");
  EXPECT_EQ(run().exit_code, 1);
  for (std::size_t trial = 0; trial < 3; ++trial) {
    EXPECT_EQ(run_program(command("exclude", {folder_of(trial), "--reason", "broken"})).exit_code,
              0);
  }
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  const auto cells = status();
  const std::string few = "transformer 1 x 16: fewer than three are left of its trials";
  EXPECT_NE(cells[3].dump().find("a rate of " + few), std::string::npos) << cells[3];
  EXPECT_NE(cells[4].dump().find("the law of its arm's trials, of " + few), std::string::npos)
      << cells[4];
  const std::string planned = run_program(command("plan")).output;
  EXPECT_NE(planned.find("none: fewer than three are left"), std::string::npos) << planned;
  EXPECT_EQ(planned.find("all diverged"), std::string::npos) << planned;
}

TEST_F(TunedSweep, WhatOnlyAHandCanMendEndsWithOneAndSaysWhat) {
  write_tuned("0.5", ", extend_at_edge: 1");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("widen tune.learning_rate.factors or raise extend_at_edge"),
            std::string::npos)
      << result.output;
  EXPECT_EQ(states(), "complete complete complete complete complete waiting");
}

TEST_F(TunedSweep, MoreRunsThanItWasToldToCountWhatWaits) {
  write_tuned("0.01");
  const ProgramResult refused = run({"--yes", "4"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("7 runs are to be started, more than 4"), std::string::npos)
      << refused.output;
}

TEST_F(TunedSweep, WhatIsInterruptedAfterTheTrialsGoesOn) {
  write_tuned("0.01");
  behave("1:hang,ok");
  const pid_t launcher = start_program(command("run"), temp_.path() / "output.txt");
  wait_until([&] { return running() == 2; });
  kill(launcher, SIGTERM);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(states(), "complete complete complete complete complete");
}

}  // namespace
}  // namespace scalelaw
