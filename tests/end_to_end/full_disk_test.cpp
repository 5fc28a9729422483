// A sweep whose disk is full pauses, loses nothing, and goes on by the same command.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/checkpoint_files.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class FullDisk : public testing::Test {
 protected:
  FullDisk() {
    write_tiny_data_set(temp_.path() / "data");
    std::ofstream(in("sweep.yaml")) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                                       "horizon: {tokens: 100000}\n"
                                       "model: {n_layer: 1, d_model: 32, n_head: 2, n_ctx: 16}\n"
                                       "train: {batch_tokens: 64}\nevaluate: {tokens: 64}\n"
                                       "how: {checkpoint_every_seconds: 0.05, log_every: 10}\n"
                                       "blocks: [{name: b, grid: {seeds.init: [1, 2, 3]}}]\n";
  }
  std::vector<std::string> command(const std::string& verb, const std::string& store) const {
    std::vector<std::string> words = {
        "scalelaw-sweep", verb,  in("sweep.yaml"), "--runs", in(store), "--data", in("data"),
        "--device",       "cpu", "--jobs",         "2"};
    return words;
  }
  std::string in(const std::string& name) const { return (temp_.path() / name).string(); }
  std::vector<RunFolder> folders(const std::string& store) const {
    std::vector<RunFolder> all;
    if (!fs::exists(sweep_record_file(in(store), "s"))) return all;
    for (const SweepCell& cell : read_sweep_record(sweep_record_file(in(store), "s")).cells) {
      all.push_back({fs::path(in(store)) / cell.folder});
    }
    return all;
  }
  void wait_until(const std::function<bool()>& holds) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << read_whole_file(in("log"));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  TempDir temp_;
};

TEST_F(FullDisk, PausesTheSweepAndCostsNothing) {
  const fs::path filler = fs::path(in("small")) / "filler";
  if (const std::string why = mount_small_disk(in("small"), 4 << 20); !why.empty()) {
    GTEST_SKIP() << why;
  }
  ASSERT_EQ(run_program(command("run", "whole")).exit_code, 0);

  const pid_t launcher = start_program(command("run", "small"), in("log"));
  wait_until([&] {
    const std::vector<RunFolder> all = folders("small");
    return !all.empty() && !checkpoint_steps(all.front()).empty();
  });
  fill_disk(filler);
  EXPECT_EQ(wait_for(launcher).exit_code, 3) << read_whole_file(in("log"));
  const std::string log = read_whole_file(in("log"));
  EXPECT_NE(log.find("pausing: "), std::string::npos) << log;
  EXPECT_NE(log.find("nothing is lost. Make room first.\n"), std::string::npos) << log;
  EXPECT_NE(log.find("Go on with:\n"), std::string::npos) << log;

  const ProgramResult refused = run_program(command("run", "small"));
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_NE(refused.output.find("make room"), std::string::npos) << refused.output;

  fs::remove(filler);
  const ProgramResult again = run_program(command("run", "small"));
  ASSERT_EQ(again.exit_code, 0) << again.output;
  const std::vector<RunFolder> left = folders("whole"), right = folders("small");
  ASSERT_EQ(left.size(), 3u);
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(read_whole_file(left[i].window_losses()), read_whole_file(right[i].window_losses()));
    EXPECT_EQ(read_metrics(left[i]).size(), read_metrics(right[i]).size());
    EXPECT_EQ(read_run_record(left[i]).final_train_loss_nats,
              read_run_record(right[i]).final_train_loss_nats);
  }
}

// The disk is full from the moment that the first runs have ended.
class FullDiskBetweenStages : public FullDisk {
 protected:
  // A sweep of four small sizes and more. Its trainer fills the disk, once, when it has completed
  // the run that is the `number`th; why there is no such disk, or "".
  std::string write_sweep(const std::string& more, int number) {
    if (std::string why = mount_small_disk(in("small"), 8 << 20); !why.empty()) return why;
    std::ofstream(in("sweep.yaml")) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                                       "horizon: {tokens: 4000}\n"
                                       "model: {n_layer: 1, n_head: 2, n_ctx: 16}\n"
                                       "train: {batch_tokens: 64}\nevaluate: {tokens: 64}\n" +
                                           more;
    std::ofstream(in("trainer")) << "#!/bin/sh\n"
                                 << program_path("scalelaw-train").string()
                                 << " \"$@\"\ncode=$?\nif [ ! -e " << in("filled")
                                 << " ] && [ $(ls " << in("small")
                                 << "/*/run.json | wc -l) = " << number << " ]; then\n  touch "
                                 << in("filled") << "\n  cat /dev/zero > " << in("small")
                                 << "/filler 2> /dev/null\nfi\nexit $code\n";
    fs::permissions(in("trainer"), fs::perms::owner_all);
    return "";
  }
  ProgramResult run() const {
    std::vector<std::string> words = command("run", "small");
    words.back() = "1";
    words.insert(words.end(), {"--trainer", in("trainer")});
    return run_program(words);
  }
  // `again_while_full`: what the same command ends with while the disk is as full.
  void expect_pause_then_the_end(const std::string& why, int again_while_full) const {
    const ProgramResult full = run();
    EXPECT_EQ(full.exit_code, 3) << full.output;
    EXPECT_NE(full.output.find(why), std::string::npos) << full.output;
    EXPECT_NE(full.output.find("\npaused: "), std::string::npos) << full.output;
    EXPECT_NE(full.output.find("; nothing is lost. Make room first.\nGo on with:\n"),
              std::string::npos)
        << full.output;
    EXPECT_EQ(full.output.find("exclude"), std::string::npos) << full.output;
    const ProgramResult still_full = run();
    EXPECT_EQ(still_full.exit_code, again_while_full) << still_full.output;
    fs::remove(fs::path(in("small")) / "filler");
    const ProgramResult again = run();
    EXPECT_EQ(again.exit_code, 0) << again.output;
    std::ofstream(fs::path(in("small")) / "filler") << std::string(1 << 24, 'x');
    EXPECT_EQ(run().exit_code, 0) << "nothing is to be written of what is complete";
    std::ofstream(in("sweep.yaml"), std::ios::app) << "# another file\n";
    EXPECT_EQ(run().exit_code, 3) << "its record is to be written";
  }
};

TEST_F(FullDiskBetweenStages, PausesBeforeTheNextStage) {
  const std::string why = write_sweep(
      "model.d_model: 32\ntune: {learning_rate: {factors: [0.5, 1, 2], extend_at_edge: 0}}\n", 3);
  if (!why.empty()) GTEST_SKIP() << why;
  expect_pause_then_the_end("\npausing: ", 2);  // nothing is begun without room for it
}

TEST_F(FullDiskBetweenStages, PausesBeforeThePredictionAndAdvisesNoOtherStudy) {
  const std::string why = write_sweep(
      "train.learning_rate: = 1e-7 * N\n"  // so that the loss falls with size
      "grid: {model.d_model: [16, 24, 32, 40, 64]}\n"
      "hold_out: {where: N > 40k, register: largest}\n",
      4);
  if (!why.empty()) GTEST_SKIP() << why;
  expect_pause_then_the_end("\npredicting 1 held-out cell\nscalelaw predict: error: ", 3);
}

// Blocks that files take, and how many there are, folders too.
std::pair<double, double> taken(const fs::path& folder) {
  double bytes = 0, files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat status = {};
    ++files;
    if (entry.is_regular_file() && stat(entry.path().c_str(), &status) == 0) {
      bytes += 512 * static_cast<double>(status.st_blocks);
    }
  }
  return {bytes, files};
}

TEST_F(FullDisk, WhatStaysIsWhatThePlanSays) {
  std::vector<std::string> plan = command("plan", "runs");
  plan.push_back("--json");
  const ProgramResult planned = run_program(plan);
  ASSERT_EQ(planned.exit_code, 0) << planned.output;
  const nlohmann::json disk = nlohmann::json::parse(planned.output).at("disk");
  ASSERT_EQ(run_program(command("run", "runs")).exit_code, 0);
  const auto [bytes, files] = taken(in("runs"));
  const double said = disk.at("bytes_to_stay");
  EXPECT_LT(bytes, 1.1 * said);
  EXPECT_GT(bytes, 0.7 * said);
  EXPECT_LE(files, disk.at("files_at_peak").get<double>() + 4) << "the sweep's own";
  EXPECT_GT(files, 0.7 * disk.at("files_at_peak").get<double>());
  const ProgramResult done = run_program(plan);
  EXPECT_EQ(nlohmann::json::parse(done.output).at("disk").at("bytes_at_peak"), 0) << done.output;
}

TEST_F(FullDisk, AReadOnlyStoreIsBadInput) {
  if (const std::string why = mount_small_disk(in("small"), 4 << 20); !why.empty()) {
    GTEST_SKIP() << why;
  }
  make_read_only(in("small"));
  const ProgramResult result = run_program(command("run", "small"));
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("Read-only file system"), std::string::npos) << result.output;
}

TEST_F(FullDisk, OfAReadOnlyStoreNothingIsExcludedAndNothingTakenIn) {
  if (const std::string why = mount_small_disk(in("small"), 4 << 20); !why.empty()) {
    GTEST_SKIP() << why;
  }
  const auto exclude = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"scalelaw-sweep", "exclude", in("sweep.yaml"), "--runs",
                                 in("small"), "--data", in("data")});
    return run_program(words);
  };
  const ProgramResult first = exclude({"*_i1d1-*", "--reason", "wrong"});
  ASSERT_EQ(first.exit_code, 0) << first.output;
  make_read_only(in("small"));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"*_i1d1-*", "--undo"}, {"*_i2d1-*", "--reason", "wrong"}}) {
    const ProgramResult result = exclude(words);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find("Read-only file system"), std::string::npos) << result.output;
  }
  const fs::path of_sweep = exclusions_folder(sweep_record_file(in("small"), "s"));
  EXPECT_EQ(std::distance(fs::directory_iterator(of_sweep), {}), 1);
}

}  // namespace
}  // namespace scalelaw
