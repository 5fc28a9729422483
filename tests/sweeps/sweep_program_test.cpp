// The program as a user meets it: retries, refusals, two launchers at once.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/sweeps/sweep_program_fixture.h"
#include "trainer/atomic_file.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

TEST_F(SweepProgram, RunsEveryCellOnceAndSkipsCompleteOnes) {
  write_spec("[1, 2, 3]");
  const ProgramResult first = run();
  EXPECT_EQ(first.exit_code, 0) << first.output;
  EXPECT_NE(first.output.find("[3 of 3]"), std::string::npos) << first.output;
  EXPECT_NE(first.output.find("loss 2.2500 on tiny"), std::string::npos) << first.output;
  EXPECT_EQ(states(), "complete complete complete");

  const ProgramResult second = run();
  EXPECT_EQ(second.exit_code, 0) << second.output;
  EXPECT_NE(second.output.find("3 cells, 0 to run"), std::string::npos) << second.output;
  EXPECT_EQ(attempts(0), 1);
  write_spec("[2, 1, 4]");
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(attempts(0), 1) << "a cell that another sweep has paid for";
  EXPECT_EQ(attempts(2), 1);
}

TEST_F(SweepProgram, TrainersGetOneThreadOnAnyCoreAndALogOfTheirOwn) {
  write_spec("[1]");
  const std::vector<const char*> pinning = {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY",
                                            "KMP_AFFINITY"};
  for (const char* name : pinning) setenv(name, "0", 1);
  setenv("OMP_NUM_THREADS", "7", 1);
  EXPECT_EQ(run().exit_code, 0);
  setenv("OMP_NUM_THREADS", "1", 1);
  for (const char* name : pinning) unsetenv(name);
  const SweepRecord record = read_sweep_record(sweep_record_file(runs_, "s"));
  EXPECT_EQ(record.cells.at(0).places, (std::vector<SweepPlace>{{"", "b"}}));
  const std::string log = text_of(runs_ / "sweeps/s/logs" / (record.cells[0].folder + ".log"));
  for (const char* setting : {"OMP_NUM_THREADS=1\n", "OMP_WAIT_POLICY=PASSIVE\n",
                              "OMP_PROC_BIND=false\n", "MKL_NUM_THREADS=1\n"}) {
    EXPECT_NE(log.find(setting), std::string::npos) << log;
  }
  for (const char* name : {"OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"}) {
    EXPECT_EQ(log.find(name), std::string::npos) << log;
  }
  EXPECT_TRUE(log.starts_with("--- 20")) << log;
}

TEST_F(SweepProgram, CrashesAreRetriedAndRefusalsAreNot) {
  write_spec("[1, 2, 3, 4, 5, 6]");
  behave("1:crash,kill,ok;2:refuse;3:crash;4:diverge;6:empty");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_EQ(states(), "complete failed failed diverged complete failed");
  EXPECT_EQ(attempts(0), 3);
  EXPECT_EQ(attempts(1), 1);
  EXPECT_EQ(attempts(2), 3);
  const nlohmann::json cells = status();
  EXPECT_EQ(cells[1].at("why"), "exit 2: train.learning_rate = 9: no");
  EXPECT_EQ(cells[2].at("why"), "exit 1: boom at step 17");
  EXPECT_EQ(cells[5].at("why"), "exit 1: exit 0, but there is no run.json");

  behave("");
  EXPECT_EQ(run().exit_code, 0) << "failed cells are tried anew by the next run";
  EXPECT_EQ(states(), "complete complete complete diverged complete complete");
}

TEST_F(SweepProgram, FollowUpCommandsNameTheStoreAndWhatNeedsAHand) {
  write_spec("[1, 2]");
  behave("1:hang,ok;2:crash,crash,crash,ok");
  const fs::path output = temp_.path() / "output";
  const pid_t launcher = start_program(command("run"), output);
  // Between its attempts a cell that is tried again has failed too.
  wait_until([&] {
    return running() == 1 && text_of(output).find("failed, exit 1") != std::string::npos;
  });
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  const std::string text = text_of(output);
  EXPECT_NE(text.find("1 run goes on from its checkpoint. Go on with:"), std::string::npos) << text;
  EXPECT_EQ(text.find("hand"), std::string::npos) << "a crash may not happen again: " << text;

  const SweepRecord record = read_sweep_record(sweep_record_file(runs_, "s"));
  std::ofstream(runs_ / record.cells.at(0).folder / "run.json") << "{";
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("s file.yaml' --runs '" + runs_.string() + "' --data " +
                               (temp_.path() / "data").string() + "\n"),
            std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("1 run needs a hand, or the same happens again:\n  " +
                               record.cells.at(0).folder + ": "),
            std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("remove this file and train the run again"), std::string::npos)
      << result.output;
}

TEST_F(SweepProgram, EqualFailuresStopTheSweep) {
  write_spec("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]");
  std::string script;
  for (int seed = 1; seed <= 12; ++seed) script += std::to_string(seed) + ":crash;";
  behave(script);
  const ProgramResult result = run({"--stop-after", "3", "--retries", "0"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("3 runs failed the same way (exit 1: boom"), std::string::npos)
      << result.output;
  int64_t tried = 0;
  for (std::size_t i = 0; i < 12; ++i) tried += attempts(i);
  EXPECT_LE(tried, 4) << "three, and the one beside the third";
}

TEST_F(SweepProgram, EqualFailuresStopTheSweepAlsoBetweenRunsThatComplete) {
  std::string seeds = "1", script;
  for (int seed = 2; seed <= 40; ++seed) seeds += ", " + std::to_string(seed);
  for (int seed = 1; seed <= 40; seed += 2) script += std::to_string(seed) + ":crash;";
  write_spec("[" + seeds + "]");
  behave(script);
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("5 runs failed the same way"), std::string::npos) << result.output;
  int untried = 0;
  for (std::size_t i = 0; i < 40; i += 2) untried += attempts(i) == 0 ? 1 : 0;
  EXPECT_GE(untried, 14) << "of twenty that would have crashed";
}

TEST_F(SweepProgram, EqualFailuresStopTheSweepThoughTheyWouldBeRetried) {
  write_spec("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]");
  std::string script;
  for (int seed = 1; seed <= 12; ++seed) script += std::to_string(seed) + ":crash;";
  behave(script);
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("5 runs failed the same way"), std::string::npos) << result.output;
  int64_t tried = 0;
  for (std::size_t i = 0; i < 12; ++i) tried += attempts(i);
  EXPECT_LE(tried, 6) << "five, and the one beside the fifth";
}

TEST_F(SweepProgram, KilledRunsAreRepeatedOnceAloneAndSaySo) {
  write_spec("[1, 2, 3]");
  behave("1:kill;2:kill,ok");
  const ProgramResult result = run({"--retries", "5"});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("tried once more when no other run is in progress"),
            std::string::npos)
      << result.output;
  EXPECT_EQ(states(), "failed complete complete");
  EXPECT_EQ(attempts(0), 2);
  EXPECT_EQ(attempts(1), 2);
  const std::string why = status()[0].at("why");
  EXPECT_NE(why.find("perhaps for want of memory"), std::string::npos) << why;
  EXPECT_NE(why.find("killed with no other run beside it too"), std::string::npos) << why;
}

TEST_F(SweepProgram, TwoLaunchersShareASweepWithoutRunningACellTwice) {
  write_spec("[1, 2, 3, 4, 5, 6, 7, 8]");
  const pid_t one = start_program(command("run"), temp_.path() / "one");
  const pid_t two = start_program(command("run"), temp_.path() / "two");
  const int first = wait_for(one).exit_code, second = wait_for(two).exit_code;
  EXPECT_TRUE(first == 0 || first == 3) << text_of(temp_.path() / "one");
  EXPECT_TRUE(second == 0 || second == 3) << text_of(temp_.path() / "two");
  EXPECT_EQ(states(), "complete complete complete complete complete complete complete complete");
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(attempts(i), 1) << i;
}

TEST_F(SweepProgram, CellHeldByAnotherProcessIsLeftAloneAndNoFailure) {
  write_spec("[1, 2]");
  ASSERT_EQ(run().exit_code, 0);
  const SweepRecord record = read_sweep_record(sweep_record_file(runs_, "s"));
  fs::remove_all(runs_ / record.cells[0].folder);
  const RunLease held(runs_ / record.cells[0].folder);
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_EQ(states(), "running complete");
  EXPECT_EQ(attempts(0), 0);
}

// As a machine that lost its power, or its network, would have left it.
class SweepOfADeadMachine : public SweepProgram {
 protected:
  SweepOfADeadMachine() { setenv("SCALELAW_HEARTBEAT_SECONDS", "0.1", 1); }
  ~SweepOfADeadMachine() override { unsetenv("SCALELAW_HEARTBEAT_SECONDS"); }
  void lose_machine_of(std::size_t cell) const {
    const fs::path folder = runs_ / folder_of(cell), lease = folder / "lease.0001.json";
    nlohmann::json json = nlohmann::json::parse(text_of(lease));
    fs::remove(folder / "run.json");
    json["host"] = "node3";
    json["released"] = false;
    std::ofstream(lease) << json;
  }
};

// Of three runs and a half, one has failed, is new again and does not fit beside the lost one.
TEST_F(SweepOfADeadMachine, ItsRunIsAskedForAlsoBehindOneThatABudgetHolds) {
  write_spec("[1, 2, 3, 4]");
  const auto plan = nlohmann::json::parse(run_program(command("plan", {"--json"})).output);
  const double one = plan.at("cells").at(0).at("train_flops");
  std::ofstream(spec_, std::ios::app)
      << "budget: {flops: " << 3.5 * one << ", when_reached: start_nothing_new}\n";
  behave("1:refuse");
  jobs_ = "1";
  EXPECT_EQ(run().exit_code, 1);
  ASSERT_EQ(states(), "failed complete complete complete");
  lose_machine_of(3);
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_EQ(states(), "failed complete complete complete") << result.output;
  EXPECT_EQ(attempts(3), 2);
}

TEST_F(SweepOfADeadMachine, ItsRunStartsHereBesideALongOneOfOurs) {
  write_spec("[1, 2]");
  behave("1:ok,hang");
  ASSERT_EQ(run().exit_code, 0);
  fs::remove(runs_ / folder_of(0) / "run.json");
  lose_machine_of(1);
  const pid_t launcher = start_program(command("run"), temp_.path() / "output");
  wait_until([&] { return states() == "running complete"; });
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3) << text_of(temp_.path() / "output");
  EXPECT_EQ(attempts(1), 2);
}

TEST_F(SweepOfADeadMachine, ItsRunIsTakenOverAndOneOfALivingLeftAlone) {
  write_spec("[1, 2]");
  ASSERT_EQ(run().exit_code, 0);
  for (const std::size_t cell : {0, 1}) lose_machine_of(cell);
  EXPECT_EQ(states(), "running running") << "a look cannot know";
  std::atomic<bool> ended{false};
  std::thread living([&] {
    const fs::path lease = runs_ / folder_of(1) / "lease.0001.json";
    nlohmann::json json = nlohmann::json::parse(text_of(lease));
    for (int beats = 1; !ended; ++beats) {
      json["beats"] = beats;
      write_atomically(lease, json.dump());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  const ProgramResult result = run();
  ended = true;
  living.join();
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_NE(result.output.find("waiting for a sign of life from pid "), std::string::npos)
      << result.output;
  EXPECT_EQ(states(), "complete running");
  EXPECT_EQ(attempts(0), 2);
  EXPECT_EQ(attempts(1), 1);
}

TEST_F(SweepProgram, BadInputEndsWithTwoAndWritesNothing) {
  write_spec("[1, x]");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("line 8 of "), std::string::npos) << result.output;
  EXPECT_FALSE(fs::exists(runs_));
  write_spec("[1]");
  EXPECT_EQ(run({"--trainer", "/nowhere/trainer"}).exit_code, 2);
  EXPECT_EQ(run({"--jobs", "-1"}).exit_code, 2);
  EXPECT_EQ(run_program(command("plan", {"--n-count", "totl"})).output,
            "scalelaw sweep: error: --n-count totl: unknown; did you mean total?\n");
  EXPECT_EQ(run_program(command("plan", {"--flops-per-second", "fast"})).exit_code, 2);
  EXPECT_EQ(run_program(command("plan", {"--device-file", "/nowhere.yaml"})).exit_code, 2);
  const fs::path gpu = temp_.path() / "gpu.yaml";
  std::ofstream(gpu)
      << "device: g\nkind: gpu\ndate: 2026-01-01\nrows:\n  - {arch: lstm, n_layer: 1, "
         "d_model: 8, n_head: 1, n_ctx: 8, n_vocab: 17, batch_tokens: 8, precision: "
         "fp32, replicas: 1, processes: 1, step_seconds: 1}\n";
  const ProgramResult refused = run_program(command("plan", {"--device-file", gpu.string()}));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("was measured on a GPU"), std::string::npos) << refused.output;
  EXPECT_EQ(run_program({"scalelaw-sweep", "plan", "/nowhere.yaml"}).exit_code, 2);
  EXPECT_EQ(run_program({"scalelaw-sweep", "paln"}).exit_code, 2);
  EXPECT_FALSE(fs::exists(runs_));
  std::ofstream(runs_) << "a file";
  EXPECT_EQ(run().exit_code, 2);
}

TEST_F(SweepProgram, FilesOfOneNameInTwoFoldersAreTwoSweeps) {
  const fs::path before = fs::current_path();
  for (const char* folder : {"a", "b"}) fs::create_directory(temp_.path() / folder);
  spec_ = "sweep.yaml";
  fs::current_path(temp_.path() / "a");
  write_spec("[1]");
  EXPECT_EQ(run().exit_code, 0);
  fs::current_path(temp_.path() / "b");
  write_spec("[2]");
  EXPECT_EQ(run().exit_code, 2);
  fs::current_path(temp_.path());
  spec_ = "a/sweep.yaml";
  write_spec("[1, 3]");
  EXPECT_EQ(run().exit_code, 0) << "the same file by another path, edited";
  fs::current_path(before);
}

// The launcher's own files cannot be written: what runs goes on, and the end is an ordinary one.
TEST_F(SweepProgram, NameOfAnotherSweepIsRefusedAndItsRecordKept) {
  write_spec("[1]");
  ASSERT_EQ(run().exit_code, 0);
  const fs::path record = sweep_record_file(runs_, "s");
  const std::string before = text_of(record);
  const fs::path first = spec_;
  spec_ = temp_.path() / "other.yaml";
  write_spec("[2]");
  const ProgramResult refused = run();
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_NE(refused.output.find("name = s: is the sweep of " + first.string()), std::string::npos)
      << refused.output;
  EXPECT_EQ(text_of(record), before);

  spec_ = temp_.path() / "link.yaml";
  fs::create_symlink(first, spec_);
  write_spec("[1, 2]");
  EXPECT_EQ(run().exit_code, 0) << "the same file, edited";
  spec_ = temp_.path() / "moved.yaml";
  fs::rename(first, spec_);
  EXPECT_EQ(run().exit_code, 0) << "moved, not edited";
  write_spec("[1, 2, 3]");
  EXPECT_EQ(run().exit_code, 0) << "edited where it is now";

  std::ofstream(record) << "{";
  const ProgramResult damaged = run();
  EXPECT_EQ(damaged.exit_code, 2);
  EXPECT_NE(damaged.output.find("move it away"), std::string::npos) << damaged.output;
}

TEST_F(SweepProgram, NotesThatCannotBeWrittenStopNoHealthyRun) {
  write_spec("[1, 2, 3, 4]");
  behave("1:crash;2:crash,ok");
  fs::create_directories(runs_ / "sweeps/s");
  std::ofstream(runs_ / "sweeps/s/unfinished");  // nothing can be written in it
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("warning: "), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("sweeps/s/unfinished: Not a directory"), std::string::npos);
  EXPECT_NE(result.output.find("s: 3 complete, 1 failed"), std::string::npos) << result.output;
}

TEST_F(SweepProgram, StartsInMillisecondsAndLinksNoLibTorch) {
  double best = 1;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run_program({"scalelaw-sweep", "--help"}).exit_code, 0);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::min(best, seconds.count());
  }
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT(best, 0.05);
#endif
  const std::string libraries = (temp_.path() / "ldd").string();
  const std::string ldd =
      "ldd '" + std::string(SCALELAW_BIN_DIR) + "/scalelaw-sweep' > '" + libraries + "'";
  ASSERT_EQ(std::system(ldd.c_str()), 0);
  EXPECT_NE(text_of(libraries).find("libc.so"), std::string::npos);
  for (const char* library : {"torch", "libc10", "sentencepiece"}) {
    EXPECT_EQ(text_of(libraries).find(library), std::string::npos) << library;
  }
}

}  // namespace
}  // namespace scalelaw
