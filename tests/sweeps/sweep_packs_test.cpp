// A sweep whose processes train several runs each: what befalls one of them and the others.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/sweeps/sweep_program_fixture.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

class SweepPacks : public SweepProgram {
 protected:
  ProgramResult run_packs(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"--replicas", "4"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  // The command lines in a run's log, without the time.
  std::vector<std::string> starts(std::size_t cell) const {
    std::istringstream log(text_of(runs_ / "sweeps/s/logs" / (folder_of(cell) + ".log")));
    std::vector<std::string> lines;
    for (std::string line; std::getline(log, line);) {
      if (line.starts_with("--- ")) lines.push_back(line.substr(line.find(" train ")));
    }
    return lines;
  }
  fs::path output_ = temp_.path() / "output";
};

TEST_F(SweepPacks, AProcessTrainsSeveralRunsAndEachHasItsOwnState) {
  write_spec("[1, 2, 3, 4, 5, 6, 7]");
  behave("3:diverge");
  const ProgramResult result = run_packs();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("s: 7 cells, 7 to run: 2 packs of 3 to 4 runs; on the CPU, 2 "
                               "processes at a time\n"),
            std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("[7 of 7] "), std::string::npos) << result.output;
  EXPECT_EQ(states(), "complete complete diverged complete complete complete complete");
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(attempts(i), 1) << i;
  int64_t logs = 0;
  for ([[maybe_unused]] const auto& log : fs::directory_iterator(runs_ / "sweeps/s/logs")) ++logs;
  EXPECT_EQ(logs, 2) << "one a process";
}

TEST_F(SweepPacks, PlanSaysHowRunsWouldBePacked) {
  write_spec("[1, 2, 3, 4, 5]");
  const std::vector<std::string> asked = {"--device", "cpu", "--jobs", "3", "--replicas", "4"};
  const ProgramResult text = run_program(command("plan", asked));
  EXPECT_NE(text.output.find("packs:   2 packs of 2 to 3 runs; on the CPU, 3 processes at a time"),
            std::string::npos)
      << text.output;
  std::vector<std::string> more = asked;
  more.push_back("--json");
  const auto json = nlohmann::json::parse(run_program(command("plan", more)).output);
  std::vector<int> packs;
  for (const auto& cell : json.at("cells")) packs.push_back(cell.at("pack"));
  EXPECT_EQ(packs, (std::vector<int>{0, 0, 1, 1, 1}));
  EXPECT_EQ(json.at("device"), "cpu");
}

TEST_F(SweepPacks, WhatAilsOneRunCostsItsNeighboursNoResult) {
  write_spec("[1, 2, 3, 4, 5, 6, 7, 8]");
  for (const char* ails : {"refuse", "crash", "kill", "empty"}) {
    fs::remove_all(runs_);
    behave("2:" + std::string(ails));
    const ProgramResult result = run_packs();
    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_EQ(states(), "complete failed complete complete complete complete complete complete")
        << result.output;
    EXPECT_EQ(attempts(7), 1) << "of the other pack";
    EXPECT_NE(result.output.find("and 3 more: "), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("will be tried in two halves"), std::string::npos);
    EXPECT_NE(result.output.find(folder_of(1) + ": failed, "), std::string::npos) << result.output;
  }
}

TEST_F(SweepPacks, ACrashedPackIsTriedAgainAsTheSamePackWithoutWhatHasEnded) {
  write_spec("[1, 2, 3, 4]");
  behave("3:crash,ok");
  ASSERT_EQ(run_packs().exit_code, 0);
  std::vector<std::string> lines = starts(0);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], lines[1]);

  fs::remove_all(runs_);
  behave("2:diverge;3:crash,ok");
  ASSERT_EQ(run_packs().exit_code, 0);
  EXPECT_EQ(states(), "complete diverged complete complete");
  EXPECT_EQ(attempts(1), 1);
  EXPECT_EQ(attempts(3), 2);
  ASSERT_EQ(starts(0).size(), 2u);
}

TEST_F(SweepPacks, RowsOfRunsThatDivergedAreLeftWhereTheOthersHaveFarToGo) {
  write_spec("[1, 2, 3, 4]");
  behave("1:diverge;2:pace;3:diverge;4:diverge");
  const ProgramResult result = run_packs();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(states(), "diverged complete diverged diverged");
  EXPECT_NE(result.output.find(folder_of(1) + ": to go on from step "), std::string::npos)
      << result.output;
  EXPECT_EQ(attempts(1), 2);
  EXPECT_EQ(attempts(0), 1);
  ASSERT_EQ(starts(1).size(), 1u) << "alone, with a log of its own";
  EXPECT_EQ(text_of(runs_ / "sweeps/s/unfinished"), "") << "that was no failure";
}

TEST_F(SweepPacks, APackWhoseRunsAllTrainIsLeftInPeace) {
  write_spec("[1, 2]");
  behave("1:pace;2:pace");
  EXPECT_EQ(run_packs().exit_code, 0);
  EXPECT_EQ(attempts(0), 1);
}

TEST_F(SweepPacks, EqualFailuresOfSingleRunsStopTheSweepWithinItsFirstPacks) {
  std::string seeds = "1", script;
  for (int seed = 2; seed <= 40; ++seed) seeds += ", " + std::to_string(seed);
  for (int seed = 1; seed <= 40; ++seed) script += std::to_string(seed) + ":crash;";
  write_spec("[" + seeds + "]");
  behave(script);
  const ProgramResult result = run_packs();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("5 runs failed the same way"), std::string::npos) << result.output;
  int untried = 0;
  for (std::size_t i = 0; i < 40; ++i) untried += attempts(i) == 0 ? 1 : 0;
  EXPECT_GE(untried, 24) << "of ten packs";
}

TEST_F(SweepPacks, TwoIllRunsInTwoPacksCostTheirNeighboursNoResult) {
  write_spec("[1, 2, 3, 4, 5, 6, 7, 8]");
  behave("2:crash;6:crash");
  const ProgramResult result = run_packs();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("6 complete"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("2 failed"), std::string::npos) << result.output;
}

TEST_F(SweepPacks, AGpuThatCannotBeUsedIsToldBeforeAnythingIsWritten) {
  setenv("CUDA_VISIBLE_DEVICES", "0,1", 1);
  setenv("FAKE_BROKEN_GPU", "1", 1);
  device_ = "cuda";
  write_spec("[1, 2]");
  const ProgramResult result = run();
  unsetenv("FAKE_BROKEN_GPU");
  unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("GPU 1: exit 2: its driver is too old"), std::string::npos)
      << result.output;
  EXPECT_EQ(result.output.find("GPU 0"), std::string::npos) << result.output;
  EXPECT_FALSE(fs::exists(runs_));
}

TEST_F(SweepPacks, InterruptedPacksGoOnInTheSameCompositionAndOrder) {
  write_spec("[1, 2, 3, 4, 5, 6, 7, 8]");
  behave("1:hang,ok;5:hang,ok");
  for (const int signal : {SIGINT, SIGKILL}) {
    fs::remove_all(runs_);
    fs::remove(output_);
    const pid_t launcher = start_program(command("run", {"--replicas", "4"}), output_);
    wait_until([&] { return running() == 8; });
    kill(launcher, signal);
    wait_for(launcher);
    wait_until([&] { return running() == 0; });
    if (signal == SIGINT) {
      EXPECT_NE(text_of(output_).find("and 3 more: interrupted at step 5"), std::string::npos);
      EXPECT_NE(text_of(output_).find("8 runs go on from their checkpoints"), std::string::npos);
    }
    const std::string interrupted = "interrupted interrupted interrupted interrupted";
    EXPECT_EQ(states(), interrupted + " " + interrupted);
    const ProgramResult second = run({"--replicas", "8"});
    EXPECT_EQ(second.exit_code, 0) << second.output;
    const std::vector<std::string> lines = starts(4);
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0], lines[1]) << "fresh, all eight would share one";
  }
}

TEST_F(SweepPacks, ASecondInterruptKillsThePack) {
  write_spec("[1, 2, 3, 4]");
  behave("1:ignore");
  const pid_t launcher = start_program(command("run", {"--replicas", "4"}), output_);
  wait_until([&] { return running() == 4; });
  kill(launcher, SIGINT);
  wait_until([&] { return text_of(output_).find("stopping: 4 runs") != std::string::npos; });
  std::this_thread::sleep_for(std::chrono::milliseconds(1300));
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  EXPECT_EQ(states(), "interrupted interrupted interrupted interrupted");
}

TEST_F(SweepPacks, ARunThatAnotherProcessHasIsLeftOutOfItsPack) {
  write_spec("[1, 2, 3, 4]");
  ASSERT_EQ(run_packs().exit_code, 0);
  for (std::size_t i = 0; i < 4; ++i) fs::remove_all(runs_ / folder_of(i));
  const RunLease held(runs_ / folder_of(1));
  const ProgramResult result = run_packs();
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_EQ(states(), "complete running complete complete");
}

TEST_F(SweepPacks, TwoLaunchersShareASweepOfPacksWithoutRunningACellTwice) {
  write_spec("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]");
  const pid_t one = start_program(command("run", {"--replicas", "4"}), temp_.path() / "one");
  const pid_t two = start_program(command("run", {"--replicas", "3"}), temp_.path() / "two");
  const int first = wait_for(one).exit_code, second = wait_for(two).exit_code;
  EXPECT_TRUE(first == 0 || first == 3) << text_of(temp_.path() / "one");
  EXPECT_TRUE(second == 0 || second == 3) << text_of(temp_.path() / "two");
  if (first != 0 && second != 0) run_packs();  // each found the last ones with the other
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(attempts(i), 1) << i;
}

TEST_F(SweepPacks, ProcessesAreSpreadOverTheGpusThatTheEnvironmentAllows) {
  setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5e8d", 1);
  device_ = "auto";
  write_spec("[1, 2, 3, 4, 5, 6, 7, 8]");
  const ProgramResult result = run({"--replicas", "2"});
  setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
  device_ = "cuda";
  const ProgramResult hidden = run();
  unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("4 packs of 2 runs; on 2 GPUs, 2 processes on each"),
            std::string::npos)
      << result.output;
  std::multiset<std::string> seen;
  for (const std::size_t cell : {0u, 2u, 4u, 6u}) {
    const std::string log = text_of(runs_ / "sweeps/s/logs" / (folder_of(cell) + ".log"));
    EXPECT_NE(
        log.find(" --device cuda --threads 1 --share-memory 2 --share-gpu 2 --share-machine 4\n"),
        std::string::npos)
        << log;
    const auto at = log.find("CUDA_VISIBLE_DEVICES=");
    ASSERT_NE(at, std::string::npos) << log;
    seen.insert(log.substr(at, log.find('\n', at) - at));
  }
  EXPECT_EQ(seen.count("CUDA_VISIBLE_DEVICES=3"), 2u);
  EXPECT_EQ(seen.count("CUDA_VISIBLE_DEVICES=GPU-5e8d"), 2u);
  EXPECT_EQ(hidden.exit_code, 2);
  EXPECT_NE(hidden.output.find("CUDA_VISIBLE_DEVICES=-1 hides every GPU"), std::string::npos)
      << hidden.output;
}

}  // namespace
}  // namespace scalelaw
