// kill -9 at random moments, checkpoint writing included: the run that is started again and again
// ends bit for bit where an undisturbed one does.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/run_record.h"

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
           "horizon: {tokens: 60000}\n"
           "model: {arch: "
        << GetParam()
        << ", n_layer: 1, d_model: 32, n_head: 2, n_ctx: 16}\n"
           "train: {batch_tokens: 64}\n"
           "evaluate: {tokens: 64}\n"
           "how: {checkpoint_every_seconds: 0.002, log_every: 10, progress_every_seconds: 0}\n";
  }
  pid_t start(const std::string& store, const std::vector<std::string>& more = {}) {
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
    return start_program(command, temp_.path() / "log");
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
  ASSERT_EQ(wait_for(start("whole")).exit_code, 0) << read_whole_file(temp_.path() / "log");
  const std::vector<std::string> no_checkpoints = {"--set", "how.checkpoint_every_seconds=0"};
  int attempts = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const pid_t pid = start("stopped", no_checkpoints);
    ++attempts;
    const auto trains = [&] {
      return fs::exists(temp_.path() / "stopped") && !fs::is_empty(temp_.path() / "stopped") &&
             fs::exists(only_folder("stopped").metrics_part(attempts)) &&
             fs::file_size(only_folder("stopped").metrics_part(attempts)) > 0;
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!trains() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    kill(pid, signal);
    kill(pid, signal);
    const ProgramResult result = wait_for(pid);
    ASSERT_EQ(result.signal, 0);
    ASSERT_EQ(result.exit_code, 3) << read_whole_file(temp_.path() / "log");
    EXPECT_GT(newest_step(temp_.path() / "stopped"), 0);
  }
  ASSERT_EQ(wait_for(start("stopped", no_checkpoints)).exit_code, 0)
      << read_whole_file(temp_.path() / "log");
  const RunFolder whole = only_folder("whole"), stopped = only_folder("stopped");
  EXPECT_EQ(read_whole_file(whole.window_losses()), read_whole_file(stopped.window_losses()));
  EXPECT_EQ(read_run_record(stopped).attempts.size(), 4u);
}

}  // namespace
}  // namespace scalelaw
