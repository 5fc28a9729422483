// `scalelaw train` on several processes: one program to its user, whoever started them, and whoever
// kills one of them.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

using Variables = std::map<std::string, std::string>;

// Everything that says which rank a process is.
const std::vector<std::string> kNames = {
    "RANK",         "WORLD_SIZE",   "LOCAL_RANK",    "MASTER_ADDR",  "MASTER_PORT",
    "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_JOB_ID", "SLURM_STEP_ID"};

class Ranks : public testing::Test {
 protected:
  Ranks() {
    write_tiny_data_set(temp_.path() / "data");
    std::ofstream(temp_.path() / "run.yaml")
        << "spec: 1\n"
           "data: {train: tiny, test: {tiny: 512}}\n"
           "horizon: {tokens: 30000}\n"
           "model: {n_layer: 1, d_model: 16, n_head: 2, n_ctx: 16}\n"
           "train: {batch_tokens: 64}\n"
           "evaluate: {tokens: 64}\n"
           "how: {checkpoint_every_seconds: 0.01, log_every: 10, progress_every_seconds: 0}\n";
  }
  std::vector<std::string> command(const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        "scalelaw-train", "train",    in("run.yaml"), "--runs",    in("runs"), "--data",
        in("data"),       "--device", "cpu",          "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::string in(const std::string& name) const { return (temp_.path() / name).string(); }
  pid_t start(const std::vector<std::string>& more, const Variables& variables = {},
              const std::string& log = "log") {
    for (const std::string& name : kNames) {
      const auto found = variables.find(name);
      found == variables.end() ? unsetenv(name.c_str())
                               : setenv(name.c_str(), found->second.c_str(), 1);
    }
    return start_program(command(more), temp_.path() / log);
  }
  std::string log(const std::string& name = "log") const {
    return fs::exists(temp_.path() / name) ? read_whole_file(temp_.path() / name) : "";
  }
  RunFolder folder() const { return {fs::directory_iterator(temp_.path() / "runs")->path()}; }
  int64_t newest_step() const {
    if (!fs::exists(temp_.path() / "runs")) return 0;
    int64_t newest = 0;
    for (const auto& entry : fs::recursive_directory_iterator(
             temp_.path() / "runs", fs::directory_options::skip_permission_denied)) {
      const std::string name = entry.path().filename();
      if (name.starts_with("step-")) newest = std::max<int64_t>(newest, std::stoll(name.substr(5)));
    }
    return newest;
  }
  void wait_for_checkpoint_after(int64_t step) {
    const double deadline = monotonic_seconds() + 60;
    while (newest_step() <= step && monotonic_seconds() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    ASSERT_GT(newest_step(), step) << log();
  }
  TempDir temp_;
};

const std::vector<std::string> kLong = {"--set", "horizon.tokens=3000000"};
std::vector<std::string> with(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Whether it was about to say why it ends or had said so stands in its log, and where its threads
// are here.
void kill_what_hangs(pid_t pid) {
  const double deadline = monotonic_seconds() + 30;
  siginfo_t info = {};
  while (monotonic_seconds() < deadline) {
    info.si_pid = 0;
    waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid == pid) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::string threads;
  std::error_code ended_now;
  for (const auto& thread :
       fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", ended_now)) {
    for (const char* file : {"comm", "wchan", "syscall"}) {
      std::ifstream text(thread.path() / file);
      std::string line;
      if (std::getline(text, line)) threads += line + " ";
    }
    threads += "\n";
  }
  ADD_FAILURE() << "still there after 30 s:\n" << threads;
  kill(pid, SIGKILL);
}

// The processes that `launcher` started, in order of their start, which is that of their ranks.
std::vector<pid_t> children_of(pid_t launcher) {
  std::istringstream text(read_whole_file("/proc/" + std::to_string(launcher) + "/task/" +
                                          std::to_string(launcher) + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; text >> child;) children.push_back(child);
  return children;
}

TEST_F(Ranks, ProcessesBehaveAsOneProgram) {
  const ProgramResult result = wait_for(start({"--processes", "2"}));
  ASSERT_EQ(result.exit_code, 0) << log();
  const RunRecord record = read_run_record(folder());
  EXPECT_EQ(record.attempts.size(), 1u);
  EXPECT_EQ(record.attempts.at(0).provenance.ranks, 2);
  const std::string said = log();
  EXPECT_EQ(said.find("rank"), std::string::npos) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2) << said;  // its beginning, its end
  EXPECT_EQ(wait_for(start({"--processes", "2"})).exit_code, 0);
  EXPECT_NE(log().find("complete already"), std::string::npos);
  EXPECT_EQ(wait_for(start({})).exit_code, 0) << "the same run, whatever the number of processes";
}

TEST_F(Ranks, AStopSignalReachesAllAndTheRunGoesOn) {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    const int64_t before = newest_step();
    const pid_t pid = start(with(kLong, {"--processes", "2"}));
    wait_for_checkpoint_after(before);
    kill(pid, signal);
    const ProgramResult result = wait_for(pid);
    EXPECT_EQ(result.exit_code, 3) << log();
    EXPECT_EQ(log().find("signal"), std::string::npos) << log();
  }
}

TEST_F(Ranks, OneThatIsKilledEndsTheOthersWithinSecondsAndTheRunGoesOn) {
  for (const std::size_t lost : {0u, 1u}) {
    const int64_t before = newest_step();
    const pid_t pid = start(with(kLong, {"--processes", "2"}));
    wait_for_checkpoint_after(before);
    const std::vector<pid_t> ranks = children_of(pid);
    ASSERT_EQ(ranks.size(), 2u);
    kill(ranks[lost], SIGKILL);
    const double killed = monotonic_seconds();
    const ProgramResult result = wait_for(pid);
    EXPECT_LT(monotonic_seconds() - killed, 10);
    EXPECT_EQ(result.exit_code, 3) << log();
    EXPECT_NE(log().find("rank " + std::to_string(lost) + " was ended by signal 9"),
              std::string::npos)
        << log();
    EXPECT_NE(kill(ranks[1 - lost], 0), 0) << "the other one is still there";
  }
  EXPECT_GT(newest_step(), 0);
  const pid_t pid = start(with(kLong, {"--processes", "2"}));
  wait_for_checkpoint_after(newest_step());
  kill(pid, SIGTERM);
  EXPECT_EQ(wait_for(pid).exit_code, 3) << log();
  EXPECT_NE(log().find("resumed at step"), std::string::npos) << log();
}

TEST_F(Ranks, AKilledLauncherTakesItsRanksAlong) {
  const pid_t pid = start(with(kLong, {"--processes", "2"}));
  wait_for_checkpoint_after(0);
  const std::vector<pid_t> ranks = children_of(pid);
  kill(pid, SIGKILL);
  wait_for(pid);
  const double deadline = monotonic_seconds() + 20;
  const auto lives = [](pid_t rank) { return kill(rank, 0) == 0; };
  while (std::ranges::any_of(ranks, lives) && monotonic_seconds() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(std::ranges::none_of(ranks, lives));
}

// As torchrun and srun start them.
Variables by_torchrun(int rank, int port) {
  return {{"RANK", std::to_string(rank)},
          {"WORLD_SIZE", "2"},
          {"LOCAL_RANK", std::to_string(rank)},
          {"MASTER_ADDR", "127.0.0.1"},
          {"MASTER_PORT", std::to_string(port)}};
}
Variables by_slurm(int rank) {
  return {{"SLURM_PROCID", std::to_string(rank)},
          {"SLURM_NTASKS", "2"},
          {"SLURM_LOCALID", std::to_string(rank)},
          {"SLURM_JOB_ID", "17"},
          {"SLURM_STEP_ID", "0"}};
}
int some_port() {
  return 20000 + static_cast<int>(getpid() % 10000);
}

TEST_F(Ranks, JoinAGroupThatTorchrunOrSlurmStarted) {
  const std::vector<std::string> env = {"--group", "env"};
  pid_t first = start(env, by_torchrun(0, some_port()), "first");
  pid_t second = start(env, by_torchrun(1, some_port()), "second");
  EXPECT_EQ(wait_for(first).exit_code, 0) << log("first");
  EXPECT_EQ(wait_for(second).exit_code, 0) << log("second");
  EXPECT_EQ(log("second"), "");
  EXPECT_EQ(read_run_record(folder()).attempts.at(0).provenance.ranks, 2);
  fs::remove_all(temp_.path() / "runs");
  second = start(env, by_slurm(1), "second");
  first = start(env, by_slurm(0), "first");
  EXPECT_EQ(wait_for(first).exit_code, 0) << log("first");
  EXPECT_EQ(wait_for(second).exit_code, 0) << log("second");
  const auto files = fs::directory_iterator(temp_.path() / "runs");
  EXPECT_EQ(std::distance(fs::begin(files), fs::end(files)), 1) << "the meeting file is left";
}

TEST_F(Ranks, VariablesAloneMakeNoGroup) {
  EXPECT_EQ(wait_for(start({}, by_torchrun(1, some_port()))).exit_code, 0) << log();
  EXPECT_FALSE(read_run_record(folder()).attempts.at(0).provenance.ranks.has_value());
}

TEST_F(Ranks, OneOfAGroupThatIsKilledEndsTheOther) {
  for (const int lost : {0, 1}) {
    const int64_t before = newest_step();
    pid_t ranks[2];
    for (const int rank : {0, 1}) {
      ranks[rank] =
          start(with(kLong, {"--group", "env"}), by_torchrun(rank, some_port() + 1 + lost),
                rank == 0 ? "first" : "second");
    }
    wait_for_checkpoint_after(before);
    kill(ranks[lost], SIGKILL);
    const double killed = monotonic_seconds();
    EXPECT_EQ(wait_for(ranks[lost]).signal, SIGKILL);
    kill_what_hangs(ranks[1 - lost]);
    EXPECT_EQ(wait_for(ranks[1 - lost]).exit_code, 3) << log("first") << log("second");
    EXPECT_LT(monotonic_seconds() - killed, 10);
    EXPECT_NE(log(lost == 0 ? "second" : "first").find("is gone"), std::string::npos);
  }
}

TEST_F(Ranks, ARankOfAnotherConfigurationIsRefusedByName) {
  const pid_t first = start({"--group", "env"}, by_torchrun(0, some_port() + 3), "first");
  const pid_t second = start({"--group", "env", "--set", "train.learning_rate=0.5"},
                             by_torchrun(1, some_port() + 3), "second");
  EXPECT_EQ(wait_for(first).exit_code, 2);
  EXPECT_EQ(wait_for(second).exit_code, 2);
  for (const char* name : {"first", "second"}) {
    EXPECT_NE(log(name).find("rank 1 of 2"), std::string::npos) << log(name);
    EXPECT_NE(log(name).find("configuration"), std::string::npos) << log(name);
  }
  EXPECT_FALSE(fs::exists(temp_.path() / "runs"));
}

TEST_F(Ranks, RefuseWhatTheyCannotShare) {
  EXPECT_EQ(wait_for(start({"--processes", "3"})).exit_code, 2);
  EXPECT_NE(log().find("line 5"), std::string::npos) << log();
  EXPECT_NE(log().find("can: 1, 2, 4"), std::string::npos) << log();
  EXPECT_EQ(wait_for(start({"--processes", "2", in("run.yaml")})).exit_code, 2);
  EXPECT_NE(log().find("pack of 2"), std::string::npos) << log();
  EXPECT_EQ(wait_for(start({"--group", "env"})).exit_code, 2);
  EXPECT_NE(log().find("WORLD_SIZE is not set"), std::string::npos) << log();
  EXPECT_FALSE(fs::exists(temp_.path() / "runs"));
}

}  // namespace
}  // namespace scalelaw
