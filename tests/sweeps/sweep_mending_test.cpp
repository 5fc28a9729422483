// What a sweep remembers of memory and time, and what a person may ask of it by name.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/sweeps/sweep_program_fixture.h"
#include "trainer/prediction.h"

namespace scalelaw {
namespace {

class SweepMending : public SweepProgram {
 protected:
  ProgramResult mend(const std::string& verb, const std::vector<std::string>& more) const {
    return run_program(command(verb, more));
  }
  // As if they had never been complete.
  void lose_results(std::size_t cells) {
    for (std::size_t i = 0; i < cells; ++i) fs::remove(runs_ / folder_of(i) / "run.json");
  }
};

TEST_F(SweepMending, OutOfMemoryIsHalvedThenNarrowedAndNeverTriedAgainUnchanged) {
  write_spec("[1, 2, 3, 4]");
  behave("1:memory");
  const ProgramResult first = run({"--replicas", "4"});
  EXPECT_EQ(first.exit_code, 0) << first.output;
  EXPECT_EQ(attempts(0), 5) << "of 4, of 2, alone in pieces of 32, 16 and 8 tokens\n"
                            << first.output;
  EXPECT_EQ(attempts(1), 3);
  EXPECT_EQ(attempts(2), 2);
  EXPECT_EQ(attempts(3), 2);

  lose_results(4);
  const ProgramResult second = run({"--replicas", "4"});
  EXPECT_EQ(second.exit_code, 0) << second.output;
  EXPECT_NE(second.output.find("1 pack of 2 runs, 2 runs alone"), std::string::npos)
      << second.output;
  EXPECT_EQ(attempts(0), 6) << "at once in pieces of 8";
  EXPECT_EQ(attempts(1), 4);
  EXPECT_EQ(attempts(2), 3);

  lose_results(4);
  ASSERT_EQ(mend("retry", {"--only", "*"}).exit_code, 0);
  const ProgramResult third = run({"--replicas", "4"});
  EXPECT_NE(third.output.find("1 pack of 2 runs, 2 runs alone"), std::string::npos) << third.output;
  EXPECT_EQ(attempts(0), 7) << "whatever they are tried again for";

  lose_results(4);
  ASSERT_EQ(mend("retry", {"--only", "*", "--forget-limits"}).exit_code, 0);
  const ProgramResult fourth = run({"--replicas", "4"});
  EXPECT_NE(fourth.output.find("1 pack of 4 runs"), std::string::npos) << fourth.output;
}

TEST_F(SweepMending, OutOfMemoryInTheSmallestPiecesIsAFailure) {
  write_spec("[1]");
  behave("1:memory");
  std::ofstream(spec_, std::ios::app) << "how: {micro_batch_tokens: 8}\n";
  ASSERT_EQ(run().exit_code, 0) << "which is what suffices";
  write_spec("[1]", /*n_ctx=*/16);
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("will be tried in smaller pieces"), std::string::npos);
  EXPECT_EQ(states(), "failed");
}

TEST_F(SweepMending, RunTooLargeInTheSmallestPiecesIsNotStartedAgainUntilThatIsForgotten) {
  write_spec("[1, 2]", /*n_ctx=*/16);
  behave("1:memory;2:crash,ok");
  EXPECT_EQ(run().exit_code, 1);
  EXPECT_EQ(states(), "failed complete");
  EXPECT_EQ(attempts(0), 2) << "in pieces of 32 and of 16 tokens, which is one window";
  const std::string name = folder_of(0), remedy = "sweep retry --only " + name + " --forget-limits";
  EXPECT_NE(status()[0].at("why").get<std::string>().find(remedy), std::string::npos);

  const ProgramResult second = run();
  EXPECT_EQ(second.exit_code, 1) << second.output;
  EXPECT_NE(second.output.find("2 cells, 0 to run"), std::string::npos) << second.output;
  EXPECT_NE(second.output.find("1 run needs a hand"), std::string::npos) << second.output;
  EXPECT_NE(second.output.find(remedy), std::string::npos) << second.output;
  EXPECT_NE(second.output.find("Then go on with:"), std::string::npos) << second.output;
  EXPECT_EQ(attempts(0), 2);

  const ProgramResult unchanged = mend("retry", {"--only", name});
  EXPECT_EQ(unchanged.exit_code, 2) << "it would only seem to be tried again";
  EXPECT_NE(unchanged.output.find("--forget-limits"), std::string::npos) << unchanged.output;
  ASSERT_EQ(mend("retry", {"--only", name, "--forget-limits"}).exit_code, 0);
  EXPECT_EQ(states(), "missing complete");
  run();
  EXPECT_EQ(attempts(0), 4);
}

TEST_F(SweepMending, TimeLimitStopsARunThatGoesOnInTheNextLaunch) {
  write_spec("[1, 2]");
  behave("1:hang,ok");
  const ProgramResult first = run({"--time-limit", "1s"});
  EXPECT_EQ(first.exit_code, 3) << first.output;
  EXPECT_EQ(states(), "interrupted complete");
  EXPECT_EQ(status()[0].at("why"), "time limit of 1.0 s (--time-limit)");
  EXPECT_NE(first.output.find("interrupted at step 5: time limit of 1.0 s"), std::string::npos)
      << first.output;
  EXPECT_EQ(run({"--time-limit", "1s"}).exit_code, 0);
  EXPECT_EQ(states(), "complete complete");
  EXPECT_EQ(run({"--time-limit", "soon"}).exit_code, 2);
}

TEST_F(SweepMending, TimeLimitThatEndsARunWhileItStartsIsNoFailure) {
  write_spec("[1]");
  behave("1:starting,ok");
  const ProgramResult first = run({"--time-limit", "1s"});
  EXPECT_EQ(first.exit_code, 3) << first.output;
  EXPECT_EQ(states(), "missing");
  EXPECT_EQ(status()[0].at("why"), "time limit of 1.0 s (--time-limit); it had not begun to train");
  EXPECT_EQ(attempts(0), 1);
  EXPECT_EQ(run().exit_code, 0);
}

TEST_F(SweepMending, RetriedRunsAreNoLongerFailed) {
  write_spec("[1, 2, 3]");
  behave("1:refuse,ok;2:refuse");
  EXPECT_EQ(run().exit_code, 1);
  EXPECT_EQ(states(), "failed failed complete");
  EXPECT_EQ(mend("retry", {"--only", "nobody"}).exit_code, 2);
  const ProgramResult done = mend("retry", {"--only", folder_of(2)});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_NE(done.output.find("is complete"), std::string::npos) << done.output;
  EXPECT_EQ(states(), "failed failed complete") << "a refusal changes nothing";
  const ProgramResult asked = mend("retry", {"--only", folder_of(0)});
  EXPECT_EQ(asked.exit_code, 0) << asked.output;
  EXPECT_EQ(states(), "missing failed complete");
  run();
  EXPECT_EQ(states(), "complete failed complete");
}

TEST_F(SweepMending, RetriedFromScratchItLeavesWhatItHadAside) {
  write_spec("[1, 2]");
  behave("1:hang,ok;2:diverge");
  EXPECT_EQ(run({"--time-limit", "1s"}).exit_code, 3);
  EXPECT_EQ(states(), "interrupted diverged");
  EXPECT_EQ(mend("retry", {"--only", folder_of(1)}).exit_code, 2) << "diverged runs are complete";
  const ProgramResult asked = mend("retry", {"--only", "*", "--from-scratch"});
  EXPECT_EQ(asked.exit_code, 0) << asked.output;
  EXPECT_EQ(states(), "missing missing");
  EXPECT_TRUE(fs::exists(runs_ / folder_of(0) / "before.0001" / "checkpoints"));
  EXPECT_TRUE(fs::exists(runs_ / folder_of(1) / "before.0001" / "run.json"));
}

TEST_F(SweepMending, ExcludedRunsAreLeftOutWithTheirReasonUntilTheyAreTakenInAgain) {
  write_spec("[1, 2, 3]");
  behave("2:refuse,ok");
  EXPECT_EQ(run().exit_code, 1);
  EXPECT_EQ(mend("exclude", {folder_of(1)}).exit_code, 2) << "a reason is asked for";
  EXPECT_EQ(mend("exclude", {folder_of(1), "--reason", std::string(1001, 'x')}).exit_code, 2);
  const std::string hash = status()[1].at("content_hash").get<std::string>().substr(0, 8);
  ASSERT_EQ(mend("exclude", {hash, "--reason", "bad\n'data'"}).exit_code, 0);
  EXPECT_EQ(states(), "complete excluded complete");
  EXPECT_EQ(status()[1].at("why"), "bad 'data'");
  const std::string planned = run_program(command("plan")).output;
  EXPECT_NE(planned.find("excluded: " + folder_of(1) + ": bad 'data'\n"), std::string::npos)
      << planned;
  const auto plan = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
  EXPECT_EQ(plan.at("cells").at(1).at("why"), "bad 'data'");
  EXPECT_EQ(plan.at("cells").at(0).at("why"), "");
  const ProgramResult without = run();
  EXPECT_EQ(without.exit_code, 0) << without.output;
  EXPECT_NE(without.output.find("2 complete, 1 excluded"), std::string::npos) << without.output;
  EXPECT_NE(without.output.find(folder_of(1) + ": bad 'data'"), std::string::npos)
      << without.output;
  EXPECT_EQ(attempts(1), 1);
  EXPECT_EQ(mend("retry", {"--only", folder_of(1)}).exit_code, 2);

  fs::remove_all(runs_ / "sweeps" / "s");
  EXPECT_EQ(states(), "complete excluded complete") << "it is no note of a launcher";
  ASSERT_EQ(mend("exclude", {folder_of(1), "--undo"}).exit_code, 0);
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(states(), "complete complete complete");
}

TEST_F(SweepMending, APatternTakesInAgainWhatItMeansAndIsExcluded) {
  write_spec("[1, 2, 3]");
  ASSERT_EQ(mend("exclude", {"*_i2d1-*", "--reason", "early"}).exit_code, 0);
  ASSERT_EQ(run().exit_code, 0);
  const ProgramResult with_another = mend("exclude", {"*", folder_of(0), "--undo"});
  EXPECT_EQ(with_another.exit_code, 2);
  EXPECT_NE(with_another.output.find(folder_of(0) + ": is not excluded"), std::string::npos)
      << with_another.output;
  EXPECT_EQ(states(), "complete excluded complete") << "nothing was changed";
  const ProgramResult undone = mend("exclude", {"*", "--undo"});
  EXPECT_EQ(undone.exit_code, 0) << undone.output;
  EXPECT_TRUE(undone.output.starts_with(folder_of(1) + ": no longer excluded\nGo on with:"))
      << undone.output;
  EXPECT_EQ(states(), "complete missing complete");
  const ProgramResult again = mend("exclude", {"*", "--undo"});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_NE(again.output.find("*: sweep s excludes no run that is called so"), std::string::npos)
      << again.output;
}

TEST_F(SweepMending, WhatIsTakenInAgainWithSettingsSaysWhereItsStudyLeavesItOut) {
  write_spec("[1, 2]");
  const std::vector<std::string> set = {"--set", "how.log_every=5"};
  const auto exclude = [&](std::vector<std::string> more, bool with_settings) {
    more.insert(more.begin(), "*i1d1*");
    if (with_settings) more.insert(more.end(), set.begin(), set.end());
    const ProgramResult result = mend("exclude", more);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result.output;
  };
  exclude({"--reason", "early"}, true);
  exclude({"--reason", "bad memory"}, false);
  const std::string said = exclude({"--undo"}, true);
  EXPECT_NE(said.find(": no longer excluded with these settings, but left out by sweep s (bad "
                      "memory), and so here; take it in again there, without --set\n"),
            std::string::npos)
      << said;
  exclude({"--undo"}, false);
  EXPECT_EQ(run(set).exit_code, 0);
  EXPECT_EQ(states(), "complete complete");
}

TEST_F(SweepMending, AHeldOutRunTakenInAgainThatThePredictionLacksIsToldAtOnce) {
  std::ofstream(spec_) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                          "horizon: {tokens: 2000}\nmodel: {n_ctx: 8, n_layer: 1}\n"
                          "train: {batch_tokens: 32}\nevaluate: {tokens: 64}\n"
                          "grid: {model.d_model: [16, 32]}\n"
                          "hold_out: {where: N > 4k, register: large}\n";
  const std::string held_out = "transformer_l1w32_*";
  const auto undone = [&] {
    EXPECT_EQ(mend("exclude", {held_out, "--reason", "dear"}).exit_code, 0);
    const ProgramResult result = mend("exclude", {held_out, "--undo"});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result.output;
  };
  EXPECT_NE(undone().find("Go on with:"), std::string::npos) << "nothing is registered";
  PredictedCell predicted;
  predicted.content_hash = std::string(32, 'a');
  predicted.folder = "another_run";
  predicted.arm = "transformer";
  predicted.n = predicted.d = 1e4;
  predicted.loss = 2;
  predicted.low = 1;
  predicted.high = 3;
  predicted.laws = {{"power", "L = (N_c / N)^a", "D = 2000 tokens", {{"a", 0.1}}}};
  predicted.runs = {std::string(32, 'b')};
  Prediction of_another;
  of_another.name = "large";
  of_another.sweep = "s";
  of_another.registered_at = "2026-01-02T03:04:05Z";
  of_another.n_count = "non_embedding";
  of_another.test_set = "tiny";
  of_another.metric = "nats_per_token";
  of_another.runs = {{std::string(32, 'b'), "some_run"}};
  of_another.cells = {predicted};
  ASSERT_TRUE(publish_prediction(runs_, of_another));
  const std::string said = undone();
  EXPECT_EQ(said.find("Go on with:"), std::string::npos) << said;
  EXPECT_NE(said.find("run refuses the sweep: line 9 of "), std::string::npos) << said;
  EXPECT_NE(said.find("says nothing of transformer_l1w32_"), std::string::npos) << said;
}

TEST_F(SweepMending, FailureNamesTheLogOfItsPack) {
  write_spec("[1, 2]");
  behave("1:crash;2:crash");
  run({"--replicas", "2", "--retries", "0"});
  EXPECT_EQ(states(), "failed failed");
  for (const std::size_t cell : {0, 1}) {
    const std::string log = status()[cell].at("log");
    EXPECT_TRUE(fs::exists(runs_ / "sweeps" / "s" / "logs" / log)) << log;
  }
}

TEST_F(SweepMending, RunThatAnotherCompletedMeanwhileIsNotToldWithOurTime) {
  write_spec("[1]");
  behave("1:meanwhile");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("completed by another process"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace scalelaw
