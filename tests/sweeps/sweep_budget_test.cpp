// Sweeps that run within a budget, by the program.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/sweeps/sweep_program_fixture.h"

namespace scalelaw {
namespace {

class SweepWithABudget : public SweepProgram {
 protected:
  // Of so many of its runs, which are equal but for their seeds.
  void write_budget(double runs, const std::string& when = "start_nothing_new",
                    const std::string& seeds = "[1, 2, 3]", const std::string& tokens = "2000") {
    write_spec(seeds);
    lengthen(tokens);
    const auto plan = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
    const double one = plan.at("cells").at(0).at("train_flops");
    std::ofstream(spec_, std::ios::app)
        << "budget: {flops: " << runs * one << ", when_reached: " << when << "}\n";
  }
  // Runs of so many tokens, 32 a step; two launchers take their time to begin.
  void lengthen(const std::string& tokens) {
    std::string text = text_of(spec_);
    const std::string horizon = "horizon: {tokens: 2000}";
    text.replace(text.find(horizon), horizon.size(), "horizon: {tokens: " + tokens + "}");
    std::ofstream(spec_) << text;
  }
  void write_cells(const std::string& cells) {
    write_spec("[1]");
    std::string text = text_of(spec_);
    const std::string grid = "grid: {seeds.init: [1]}";
    text.replace(text.find(grid), grid.size(), cells);
    std::ofstream(spec_) << text;
  }
  // Both are interrupted; the budget reaches the second one's end alone.
  void begin_two_of_which_the_longer_is_too_long() {
    write_cells("list: [{seeds.init: 1, horizon.tokens: 20000}, {seeds.init: 2}]");
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
  EXPECT_NE(stopped.output.find("nothing more was started: budget.flops = "), std::string::npos)
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
  EXPECT_EQ(run().exit_code, 3);
  EXPECT_EQ(states(), "missing missing complete");
  EXPECT_EQ(share_of_machine(2), "1") << "beside nothing, though there is a place for another";
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
  write_budget(3.5, "start_nothing_new", "[1, 2, 3, 4]", "6000");
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

// While the first runs there is no room for the second beside it, and it costs nothing.
TEST_F(SweepWithABudget, WhatDoesNotFitBesideARunInProgressIsAskedForAgainWhenThatHasEnded) {
  behave("1:refuse");
  write_budget(1.5, "start_nothing_new", "[1, 2]");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_EQ(states(), "failed complete") << result.output;
  EXPECT_EQ(result.output.find("Raise the budget first."), std::string::npos) << result.output;
}

// Of two that were begun there is room for one, and the first fails.
TEST_F(SweepWithABudget, ABegunRunThatDoesNotFitBesideAnotherIsAskedForAgainToo) {
  write_spec("[1, 2]");
  behave("1:hang,refuse;2:hang,ok");
  const pid_t launcher = start_program(command("run"), temp_.path() / "output");
  wait_until([&] { return states() == "running running" && running() == 2; });
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  write_budget(1.5, "start_nothing_new", "[1, 2]");
  const ProgramResult result = run();
  EXPECT_EQ(states(), "failed complete") << result.output;
}

// The second launcher has room for nothing beside the first one's run, which may cost less.
TEST_F(SweepWithABudget, ALauncherWithoutRoomBesideAnothersRunsSaysWhatCounts) {
  behave("1:hang,ok");
  jobs_ = "1";
  write_budget(1.5);
  const pid_t one = start_program(command("run"), temp_.path() / "one");
  wait_until([&] { return running() == 1; });
  const ProgramResult two = run();
  EXPECT_EQ(two.exit_code, 3) << two.output;
  EXPECT_NE(two.output.find("The runs of other launchers count whole until they have ended."),
            std::string::npos)
      << two.output;
  EXPECT_EQ(two.output.find("Raise the budget"), std::string::npos) << two.output;
  kill(one, SIGTERM);
  EXPECT_EQ(wait_for(one).exit_code, 3) << text_of(temp_.path() / "one");
  EXPECT_EQ(run().exit_code, 3);
  EXPECT_EQ(states(), "complete missing missing");
}

// Room is kept for the first, which crashes until it has failed and costs nothing.
TEST_F(SweepWithABudget, WhatHasFailedForGoodLeavesItsRoomToOthers) {
  behave("1:crash");
  jobs_ = "1";
  write_budget(3.2, "start_nothing_new", "[1, 2, 3, 4]");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_EQ(states(), "failed complete complete complete") << result.output;
}

// Of three that were begun the longest does not fit beside the first, and the third does.
TEST_F(SweepWithABudget, ABegunRunThatMustWaitHoldsBackNoneThatFits) {
  const std::string cells =
      "list: [{seeds.init: 1}, {seeds.init: 2, horizon.tokens: 20000}, "
      "{seeds.init: 3, horizon.tokens: 3000}]";
  write_cells(cells);
  behave("1:hang,pace;2:hang;3:hang,ok");
  jobs_ = "3";
  const pid_t launcher = start_program(command("run"), temp_.path() / "output");
  wait_until([&] { return states() == "running running running" && running() == 3; });
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  const auto plan = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
  const double longest = plan.at("cells").at(1).at("train_flops");
  std::ofstream(spec_, std::ios::app)
      << "budget: {flops: " << 1.05 * longest << ", when_reached: start_nothing_new}\n";
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_EQ(states(), "complete interrupted complete") << result.output;
  EXPECT_EQ(share_of_machine(2), "2") << "beside the first";
}

// The first launcher holds the third run, new to it, while the second one trains and leaves it: it
// is left to that one for a while, whatever ends here meanwhile.
TEST_F(SweepWithABudget, WhatAnotherLeftWhileItWasHeldHereIsNotTakenAtOnce) {
  behave("1:pace;3:hang,refuse");
  write_spec("[3]");
  lengthen("8000");
  const pid_t two = start_program(command("run"), temp_.path() / "two");
  wait_until([&] { return states() == "running" && running() == 1; });
  write_budget(2.1, "start_nothing_new", "[1, 2, 3]", "8000");
  const pid_t one = start_program(command("run"), temp_.path() / "one");
  const auto said = [&](const std::string& what) {
    return text_of(temp_.path() / "one").find(what);
  };
  wait_until([&] { return said("waiting until a run has ended: budget") != std::string::npos; });
  kill(two, SIGTERM);
  EXPECT_EQ(wait_for(two).exit_code, 3) << text_of(temp_.path() / "two");
  EXPECT_EQ(wait_for(one).exit_code, 1) << text_of(temp_.path() / "one");
  EXPECT_EQ(states(), "complete complete failed") << text_of(temp_.path() / "one");
  EXPECT_LT(said("another launcher gave up a moment ago"), said("failed, exit 2"))
      << text_of(temp_.path() / "one");
  EXPECT_EQ(said("Raise the budget"), std::string::npos) << text_of(temp_.path() / "one");
}

// It failed here before, and counts as what runs.
TEST_F(SweepWithABudget, WhatFailedHereAndRunsElsewhereCountsWhole) {
  behave("1:refuse,hang,hang;2:pace;3:pace");
  jobs_ = "1";
  write_budget(2.5, "start_nothing_new", "[1, 2, 3]", "8000");
  const pid_t one = start_program(command("run"), temp_.path() / "one");
  wait_until([&] { return states() == "failed running missing"; });
  const pid_t two = start_program(command("run"), temp_.path() / "two");
  wait_until([&] { return states() == "running running missing"; });
  EXPECT_EQ(wait_for(one).exit_code, 3) << text_of(temp_.path() / "one");
  EXPECT_EQ(states(), "running complete missing") << text_of(temp_.path() / "one");
  kill(two, SIGTERM);
  wait_for(two);
}

}  // namespace
}  // namespace scalelaw
