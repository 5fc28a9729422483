// kill -9 at random moments, checkpoint writing included: the run that is started again and again
// ends bit for bit where an undisturbed one does.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/attempt_cost.h"
#include "trainer/run_record.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr int kKills = 20;
constexpr int kMostKills = 60;  // until one falls into the writing of a checkpoint

class KillResume : public testing::TestWithParam<std::string> {
 protected:
  KillResume() {
    write_tiny_data_set(temp_.path() / "data");
    std::ofstream(temp_.path() / "run.yaml")
        << "spec: 1\n"
           "data: {train: tiny, test: {tiny: 512}}\n"
           "horizon: {tokens: 720000}\n"
           "model: {arch: "
        << GetParam()
        << ", n_layer: 1, d_model: 32, n_head: 2, n_ctx: 16}\n"
           "train: {batch_tokens: 64}\n"
           "evaluate: {tokens: 64}\n"
           "how: {checkpoint_every_seconds: 0.002, log_every: 10, progress_every_seconds: 0}\n";
  }
  pid_t start(const std::string& store, const std::vector<std::string>& more = {}) {
    return start_with_output(temp_.path() / "log", store, more);
  }
  pid_t start_with_output(const fs::path& output, const std::string& store,
                          const std::vector<std::string>& more) {
    std::vector<std::string> command = {"scalelaw-train",
                                        "train",
                                        (temp_.path() / "run.yaml").string(),
                                        "--runs",
                                        (temp_.path() / store).string(),
                                        "--data",
                                        (temp_.path() / "data").string(),
                                        "--device",
                                        "cpu",
                                        "--threads",
                                        "1"};
    command.insert(command.end(), more.begin(), more.end());
    return start_program(command, output);
  }
  void wait_for_lines_of(int attempt, const std::string& store) {
    const auto trains = [&] {
      return fs::exists(temp_.path() / store) && !fs::is_empty(temp_.path() / store) &&
             fs::exists(only_folder(store).metrics_part(attempt)) &&
             fs::file_size(only_folder(store).metrics_part(attempt)) > 0;
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!trains() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  RunFolder only_folder(const std::string& store) {
    return {fs::directory_iterator(temp_.path() / store)->path()};
  }
  TempDir temp_;
};
INSTANTIATE_TEST_SUITE_P(Architectures, KillResume, testing::Values("transformer", "lstm"));

int64_t newest_step(const fs::path& store) {
  if (!fs::exists(store)) return 0;
  int64_t newest = 0;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("step-")) newest = std::max<int64_t>(newest, std::stoll(name.substr(5)));
  }
  return newest;
}

int drafts(const fs::path& store) {
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    count += entry.path().filename().string().starts_with(".draft-") ? 1 : 0;
  }
  return count;
}

TEST_P(KillResume, TwentyKillsLaterTheRunIsTheUndisturbedOne) {
  ASSERT_EQ(wait_for(start("whole")).exit_code, 0) << read_whole_file(temp_.path() / "log");

  std::mt19937 random(7);
  int inside_writing = 0, kills = 0;
  while (kills < kKills || (inside_writing == 0 && kills < kMostKills)) {
    const int64_t before = newest_step(temp_.path() / "killed");
    const pid_t pid = start("killed");
    // Start-up costs a few tenths of a second: wait until this attempt has got somewhere, then
    // kill within the next milliseconds.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (newest_step(temp_.path() / "killed") <= before && kill(pid, 0) == 0 &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20000));
    kill(pid, SIGKILL);
    ASSERT_EQ(wait_for(pid).signal, SIGKILL)
        << "finished after " << kills << " kills, too short a run for this test\n"
        << read_whole_file(temp_.path() / "log");
    ++kills;
    inside_writing += drafts(temp_.path() / "killed") > 0 ? 1 : 0;
    ASSERT_FALSE(fs::exists(only_folder("killed").record()));
  }
  EXPECT_GT(inside_writing, 0) << "no kill fell into the writing of a checkpoint";
  ASSERT_EQ(wait_for(start("killed")).exit_code, 0) << read_whole_file(temp_.path() / "log");
  EXPECT_EQ(drafts(temp_.path() / "killed"), 0);

  const RunFolder whole = only_folder("whole"), killed = only_folder("killed");
  EXPECT_EQ(whole.path.filename(), killed.path.filename());
  EXPECT_EQ(read_whole_file(whole.window_losses()), read_whole_file(killed.window_losses()));
  const RunRecord a = read_run_record(whole), b = read_run_record(killed);
  EXPECT_EQ(a.test.at("tiny").loss_nats, b.test.at("tiny").loss_nats);
  EXPECT_EQ(a.final_train_loss_nats, b.final_train_loss_nats);
  EXPECT_EQ(b.attempts.size(), static_cast<std::size_t>(kills + 1));
  const RunLedger undisturbed = ledger_of(read_costs(whole), a.steps),
                  paid = ledger_of(read_costs(killed), b.steps);
  EXPECT_EQ(undisturbed.train_tokens, a.train_tokens);
  EXPECT_EQ(undisturbed.wasted_tokens, 0);
  EXPECT_EQ(paid.attempts, kills + 1);
  EXPECT_EQ(paid.train_tokens - paid.wasted_tokens, b.train_tokens);
  EXPECT_GT(paid.wasted_tokens, 0) << "updates after the last checkpoints";
  const auto left = read_metrics(whole), right = read_metrics(killed);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i].step, right[i].step);
    EXPECT_EQ(left[i].train_loss_nats, right[i].train_loss_nats);
    EXPECT_EQ(left[i].grad_norm, right[i].grad_norm);
    EXPECT_EQ(left[i].test_loss_nats, right[i].test_loss_nats);
  }
}

// As a terminal and a launcher behind it do: the same signal twice within a moment. A dropped
// connection is such a signal too.
TEST_P(KillResume, SignalledTwiceAtOnceItSavesAndGoesOn) {
  const std::vector<std::string> long_run = {"--set", "how.checkpoint_every_seconds=0", "--set",
                                             "horizon.tokens=480000"};
  ASSERT_EQ(wait_for(start("whole", long_run)).exit_code, 0)
      << read_whole_file(temp_.path() / "log");
  int attempts = 0;
  for (const int signal : kStopSignals) {
    const pid_t pid = start("stopped", long_run);
    wait_for_lines_of(++attempts, "stopped");
    kill(pid, signal);
    kill(pid, signal);
    const ProgramResult result = wait_for(pid);
    ASSERT_EQ(result.signal, 0);
    ASSERT_EQ(result.exit_code, 3) << read_whole_file(temp_.path() / "log");
    EXPECT_GT(newest_step(temp_.path() / "stopped"), 0);
  }
  ASSERT_EQ(wait_for(start("stopped", long_run)).exit_code, 0)
      << read_whole_file(temp_.path() / "log");
  const RunFolder whole = only_folder("whole"), stopped = only_folder("stopped");
  EXPECT_EQ(read_whole_file(whole.window_losses()), read_whole_file(stopped.window_losses()));
  EXPECT_EQ(read_run_record(stopped).attempts.size(), kStopSignals.size() + 1);
}

// On another machine it would be the same: the file system passes on no lock.
TEST_P(KillResume, SuspendedUntilAnotherHasTheRunItEndsAndWritesNothing) {
  setenv("SCALELAW_HEARTBEAT_SECONDS", "0.05", 1);
  const std::vector<std::string> long_run = {"--set", "how.checkpoint_every_seconds=0.05", "--set",
                                             "horizon.tokens=480000"};
  const pid_t first = start_with_output(temp_.path() / "first", "runs", long_run);
  wait_for_lines_of(1, "runs");
  kill(first, SIGSTOP);
  siginfo_t stopped;
  waitid(P_PID, static_cast<id_t>(first), &stopped, WSTOPPED | WNOWAIT);
  const ProgramResult second = wait_for(start("runs", long_run));
  ASSERT_EQ(second.exit_code, 0) << read_whole_file(temp_.path() / "log");
  const RunFolder run = only_folder("runs");
  const std::string record = read_whole_file(run.record()),
                    metrics = read_whole_file(run.merged_metrics());
  const int64_t last = newest_step(temp_.path() / "runs");
  kill(first, SIGCONT);
  EXPECT_EQ(wait_for(first).exit_code, 3) << read_whole_file(temp_.path() / "first");
  unsetenv("SCALELAW_HEARTBEAT_SECONDS");
  const std::string said = read_whole_file(temp_.path() / "first");
  EXPECT_NE(said.find("has taken this run over"), std::string::npos) << said;
  EXPECT_EQ(read_whole_file(run.record()), record);
  EXPECT_EQ(read_whole_file(run.merged_metrics()), metrics);
  EXPECT_EQ(newest_step(temp_.path() / "runs"), last);
  EXPECT_EQ(read_costs(run).front().end, "lost");
  ASSERT_EQ(wait_for(start("whole", long_run)).exit_code, 0);
  EXPECT_EQ(read_whole_file(only_folder("whole").window_losses()),
            read_whole_file(run.window_losses()));
}

// `| tee log` that dies, or whose Ctrl-C comes first.
TEST_P(KillResume, NobodyReadingItsLinesStopsNothing) {
  const std::vector<std::string> talkative = {"--set", "how.checkpoint_every_seconds=0",
                                              "--set", "how.progress_every_seconds=0.001",
                                              "--set", "horizon.tokens=480000"};
  for (const bool stops : {true, false}) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t pid = start_with_output("/dev/fd/" + std::to_string(ends[1]), "runs", talkative);
    wait_for_lines_of(1, "runs");  // so that it has opened the pipe
    close(ends[0]);
    close(ends[1]);
    if (stops) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      kill(pid, SIGINT);
    }
    const ProgramResult result = wait_for(pid);
    EXPECT_EQ(result.signal, 0);
    EXPECT_EQ(result.exit_code, stops ? 3 : 0);
    EXPECT_GT(newest_step(temp_.path() / "runs"), 0);
  }
}

}  // namespace
}  // namespace scalelaw
