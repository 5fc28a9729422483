// Runs that keep the weights of their checkpoint alone, as their users and a kill see them.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/checkpoint_files.h"
#include "trainer/kept_checkpoint.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class KeptCheckpointTest : public testing::Test {
 protected:
  KeptCheckpointTest() {
    write_tiny_data_set(temp_.path() / "data");
    std::ofstream(in("run.yaml"))
        << "spec: 1\ndata: {train: tiny, test: {tiny: 512}}\nhorizon: {tokens: 2560}\n"
           "model: {n_layer: 2, d_model: 256, n_head: 4, n_ctx: 16, position: learned}\n"
           "train: {batch_tokens: 64}\nevaluate: {tokens: 64}\n";
  }
  std::string in(const std::string& name) const { return (temp_.path() / name).string(); }
  std::vector<std::string> train(const std::string& store, const std::string& keep) const {
    return {"scalelaw-train",  "train",    in("run.yaml"), "--runs",    in(store), "--data",
            in("data"),        "--device", "cpu",          "--threads", "1",       "--set",
            "how.keep=" + keep};
  }
  RunFolder only_folder(const std::string& store) const {
    for (const auto& entry : fs::directory_iterator(in(store))) {
      if (fs::exists(entry.path() / "config.yaml")) return {entry.path()};
    }
    return {};
  }
  std::string evaluated(const std::string& store) const {
    return run_program({"scalelaw", "evaluate", only_folder(store).path.string(), "tiny", "--data",
                        in("data"), "--device", "cpu", "--threads", "1", "--json"})
        .output;
  }
  std::string exported(const std::string& store) const {
    const ProgramResult result =
        run_program({"scalelaw", "model", "export", "hf", only_folder(store).path.string(),
                     in(store + ".hf"), "--data", in("data")});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return read_whole_file(in(store + ".hf") + "/model.safetensors");
  }
  ProgramResult runs(const std::string& verb, const std::string& store) const {
    return run_program({"scalelaw", "runs", verb, "--runs", in(store)});
  }
  TempDir temp_;
};

TEST_F(KeptCheckpointTest, WeightsAloneAreEvaluatedExportedAndVerifiedAsTheWholeOne) {
  for (const std::string keep : {"whole", "weights"}) {
    const ProgramResult result = run_program(train(keep, keep));
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }
  EXPECT_NE(evaluated("whole").find("loss_nats"), std::string::npos) << evaluated("whole");
  EXPECT_EQ(evaluated("weights"), evaluated("whole"));
  EXPECT_EQ(exported("weights"), exported("whole"));
  const ProgramResult verified = runs("verify", "weights");
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  const std::string archive = in("a.tar.zst");
  ASSERT_EQ(run_program({"scalelaw", "runs", "export", "--where", "N > 0", "--weights", "--out",
                         archive, "--runs", in("weights")})
                .exit_code,
            0);
  ASSERT_EQ(run_program({"scalelaw", "runs", "import", archive, "--runs", in("there")}).exit_code,
            0);
  EXPECT_EQ(runs("verify", "there").exit_code, 0);
  EXPECT_EQ(evaluated("there"), evaluated("whole"));
}

TEST_F(KeptCheckpointTest, ARunThatTwoSweepsShareKeepsTheMoreOfWhatTheyAskFor) {
  const std::string base = read_whole_file(in("run.yaml"));
  const std::string less = "keep: {resume_state: until_complete, weights: none}\n";
  std::ofstream(in("a.yaml")) << base << "name: a\n";
  std::ofstream(in("b.yaml")) << base << "name: b\n" << less;
  const auto sweep = [&](const std::string& file) {
    const ProgramResult result = run_program({"scalelaw-sweep", "run", in(file), "--runs",
                                              in("runs"), "--data", in("data"), "--device", "cpu"});
    ASSERT_EQ(result.exit_code, 0) << result.output;
  };
  sweep("a.yaml");
  // As a stop right before the result leaves it.
  const RunFolder folder = only_folder("runs");
  fs::remove(folder.record());
  fs::remove(folder.merged_metrics());
  sweep("b.yaml");
  ASSERT_TRUE(fs::exists(folder.record()));
  ASSERT_EQ(checkpoint_steps(folder), std::vector<int64_t>{40});
  EXPECT_GT(bytes_beside_weights(checkpoint_file(folder, 40)), 0u) << "a wants it whole";
  EXPECT_EQ(run_program({"scalelaw", "runs", "clean", "--keep", "asked", "--sweep", "b", "--runs",
                         in("runs")})
                .exit_code,
            0);
  EXPECT_EQ(checkpoint_steps(folder), std::vector<int64_t>{40});
  std::ofstream(in("a.yaml")) << base << "name: a\n" << less;
  sweep("a.yaml");
  EXPECT_EQ(run_program({"scalelaw", "runs", "clean", "--keep", "asked", "--sweep", "b", "--runs",
                         in("runs")})
                .exit_code,
            0);
  EXPECT_TRUE(checkpoint_steps(folder).empty());
}

TEST_F(KeptCheckpointTest, AKillOnceTheResultIsThereLeavesMoreAndNeverLess) {
  for (int i = 0; i < 4; ++i) {
    const std::string store = "killed" + std::to_string(i);
    const pid_t pid = start_program(train(store, "weights"), in("log"));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto is_published = [&] {
      return fs::exists(in(store)) && !only_folder(store).path.empty() &&
             fs::exists(only_folder(store).record());
    };
    while (!is_published() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
    kill(pid, SIGKILL);
    wait_for(pid);
    const RunFolder folder = only_folder(store);
    ASSERT_TRUE(fs::exists(folder.record())) << read_whole_file(in("log"));
    ASSERT_EQ(checkpoint_steps(folder), std::vector<int64_t>{40});
    const uint64_t beside = bytes_beside_weights(checkpoint_file(folder, 40));
    RecordProperty(store, std::to_string(beside));
    EXPECT_EQ(runs("verify", store).exit_code, 0);
    const std::string before = evaluated(store);
    EXPECT_NE(before.find("loss_nats"), std::string::npos) << before;
    const ProgramResult again = run_program(train(store, "weights"));
    EXPECT_EQ(again.exit_code, 0) << again.output;
    EXPECT_NE(again.output.find("complete already"), std::string::npos) << again.output;
    const ProgramResult cleaned = runs("clean", store);
    EXPECT_EQ(cleaned.exit_code, 0) << cleaned.output;
    EXPECT_EQ(bytes_beside_weights(checkpoint_file(folder, 40)), 0u) << cleaned.output;
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.checkpoints()), {}), 1);
    EXPECT_EQ(runs("verify", store).exit_code, 0);
    EXPECT_EQ(evaluated(store), before);
  }
}

}  // namespace
}  // namespace scalelaw
