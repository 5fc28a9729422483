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

class SweepWithABudget : public SweepProgram {
 protected:
  // Of so many of its runs, which are equal but for their seeds.
  void write_budget(double runs, const std::string& when = "start_nothing_new",
                    const std::string& seeds = "[1, 2, 3]") {
    write_spec(seeds);
    const auto plan = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
    const double one = plan.at("cells").at(0).at("train_flops");
    std::ofstream(spec_, std::ios::app)
        << "budget: {flops: " << runs * one << ", when_reached: " << when << "}\n";
  }
  // Both are interrupted; the budget reaches the second one's end alone.
  void begin_two_of_which_the_longer_is_too_long() {
    write_spec("[1, 2]");
    std::string text = text_of(spec_);
    const std::string grid = "grid: {seeds.init: [1, 2]}";
    text.replace(text.find(grid), grid.size(),
                 "list: [{seeds.init: 1, horizon.tokens: 20000}, {seeds.init: 2}]");
    std::ofstream(spec_) << text;
    behave("1:hang,ok;2:hang,ok");
    const pid_t launcher = start_program(command("run"), temp_.path() / "output");
    wait_until([&] { return states() == "running running" && running() == 2; });
    kill(launcher, SIGINT);
    EXPECT_EQ(wait_for(launcher).exit_code, 3);
    const auto plan = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
    const double longer = plan.at("cells").at(0).at("train_flops");
    std::ofstream(spec_, std::ios::app)
        << "budget: {flops: " << 0.9 * longer << ", when_reached: start_nothing_new}\n";
  }
};

TEST_F(SweepWithABudget, StopsTheStartingAndALargerOneGoesOn) {
  write_budget(2.5, "refuse");
  const ProgramResult refused = run();
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_NE(refused.output.find("budget.flops = "), std::string::npos) << refused.output;
  write_budget(2.5);
  const ProgramResult stopped = run();
  EXPECT_EQ(stopped.exit_code, 3) << stopped.output;
  EXPECT_NE(stopped.output.find("nothing new was started: budget.flops = "), std::string::npos)
      << stopped.output;
  EXPECT_EQ(states(), "complete complete missing");
  write_budget(3.5, "refuse");
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(states(), "complete complete complete");
}

TEST_F(SweepWithABudget, EndsWhatWasBegunBeforeAnythingNewStarts) {
  write_spec("[1, 2, 3]");
  behave("3:hang,ok");
  const pid_t launcher = start_program(command("run"), temp_.path() / "output");
  wait_until([&] { return states() == "complete complete running" && running() == 1; });
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  for (const std::size_t cell : {0u, 1u}) fs::remove_all(runs_ / folder_of(cell));
  write_budget(1.5);
  jobs_ = "1";
  EXPECT_EQ(run().exit_code, 3);
  EXPECT_EQ(states(), "missing missing complete");
}

// The budget is that of one run and a half: nothing new starts while the killed one is to go on.
TEST_F(SweepWithABudget, AKilledRunIsTriedAgainBeforeAnythingNewStarts) {
  behave("1:kill,ok");
  jobs_ = "1";
  write_budget(1.5);
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_EQ(states(), "complete missing missing") << result.output;
  EXPECT_NE(result.output.find("Raise the budget first."), std::string::npos) << result.output;
}

// Both were begun; the first is too long for what is left.
TEST_F(SweepWithABudget, ABegunRunThatDoesNotFitHindersNoOther) {
  begin_two_of_which_the_longer_is_too_long();
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_EQ(states(), "interrupted complete") << result.output;
  EXPECT_NE(result.output.find("Raise the budget first."), std::string::npos) << result.output;
}

// The second launcher gives its run up while the first has the third: a fourth would be too much
// with it, and the first takes it over.
TEST_F(SweepWithABudget, WhatAnotherLauncherGaveUpIsEndedByTheOneThatIsLeft) {
  behave("2:hang,ok;1:pace;3:pace");
  jobs_ = "1";
  write_budget(3.5, "start_nothing_new", "[1, 2, 3, 4]");
  const pid_t one = start_program(command("run"), temp_.path() / "one");
  wait_until([&] { return fs::exists(sweep_record_file(runs_, "s")) && running() == 1; });
  const pid_t two = start_program(command("run"), temp_.path() / "two");
  wait_until([&] { return states() == "complete running running missing"; });
  kill(two, SIGTERM);
  EXPECT_EQ(wait_for(two).exit_code, 3) << text_of(temp_.path() / "two");
  EXPECT_EQ(wait_for(one).exit_code, 3) << text_of(temp_.path() / "one");
  EXPECT_EQ(states(), "complete complete complete missing") << text_of(temp_.path() / "one");
}

// As above, but that the first launcher has refused a new run before the other gives its own up.
TEST_F(SweepWithABudget, WhatIsGivenUpAfterANewRunWasRefusedGoesOnToo) {
  behave("1:hang,ok;2:pace,pace");
  jobs_ = "1";
  write_budget(2.5);
  const pid_t two = start_program(command("run"), temp_.path() / "two");
  wait_until([&] { return states() == "running missing missing" && running() == 1; });
  jobs_ = "2";
  const pid_t one = start_program(command("run"), temp_.path() / "one");
  wait_until([&] { return states() == "running running missing"; });
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // it asks for the third
  kill(two, SIGTERM);
  EXPECT_EQ(wait_for(two).exit_code, 3) << text_of(temp_.path() / "two");
  EXPECT_EQ(wait_for(one).exit_code, 3) << text_of(temp_.path() / "one");
  EXPECT_EQ(states(), "complete complete missing") << text_of(temp_.path() / "one");
}

// Of two that were begun the budget does not reach the first, and the second cannot be started.
TEST_F(SweepWithABudget, HidesNoOtherReasonToStop) {
  begin_two_of_which_the_longer_is_too_long();
  const fs::path log = runs_ / "sweeps" / "s" / "logs" / (folder_of(1) + ".log");
  fs::remove_all(log);
  fs::create_directories(log);
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("\nstopped: "), std::string::npos) << result.output;
}

// Two launchers that begin half a run after one another, each with room for one process.
TEST_F(SweepWithABudget, IsThatOfAllLaunchersTogether) {
  behave("1:pace;2:pace;3:pace;4:pace;5:pace;6:pace;7:pace;8:pace");
  jobs_ = "1";
  write_budget(4.5, "start_nothing_new", "[1, 2, 3, 4, 5, 6, 7, 8]");
  const pid_t one = start_program(command("run"), temp_.path() / "one");
  wait_until([&] { return fs::exists(sweep_record_file(runs_, "s")) && running() == 1; });
  std::this_thread::sleep_for(std::chrono::milliseconds(800));
  const pid_t two = start_program(command("run"), temp_.path() / "two");
  EXPECT_EQ(wait_for(one).exit_code, 3) << text_of(temp_.path() / "one");
  EXPECT_EQ(wait_for(two).exit_code, 3) << text_of(temp_.path() / "two");
  const std::string became = states();
  std::size_t complete = 0;
  for (std::size_t at = 0; (at = became.find("complete", at)) != became.npos; ++at) ++complete;
  EXPECT_GE(complete, 4u) << became;
  EXPECT_LE(complete, 5u) << "what two start at one moment neither sees; " << became;
}

}  // namespace
}  // namespace scalelaw
