// What a pack makes of damaged files, failing data, other processes and bad input.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/recorded_syncs.h"
#include "tests/trainer/pack_fixture.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/data_set.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

class PackFaults : public PackTest {};
INSTANTIATE_TEST_SUITE_P(Architectures, PackFaults, testing::Values("transformer", "lstm"));

TEST_P(PackFaults, DataThatFailWhileRunningCostNothing) {
  Pack pack({tiny_run(GetParam())}, options("runs"));
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(std::make_unique<AfterUpdate>(
      5, [&] { fs::resize_file(temp_.path() / "data" / "tiny" / "train.tokens", 100); }));
  EXPECT_THROW(train(pack, observers, false), std::exception);
  EXPECT_EQ(checkpoint_steps(pack.members().front().folder()), std::vector<int64_t>{5});
}

// The line of the step whose evaluation failed is written by the attempt that goes on.
TEST_P(PackFaults, ATestSetThatFailsWhileRunningCostsNothing) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  const fs::path tokens = temp_.path() / "data" / "tiny" / "test.tokens";
  const std::string content = read_whole_file(tokens);
  {
    Pack pack({config}, options("runs"));
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(make_metrics_observer(pack));
    fs::resize_file(tokens, 100);
    EXPECT_THROW(train(pack, observers, false), std::exception);
    EXPECT_EQ(checkpoint_steps(pack.members().front().folder()), std::vector<int64_t>{1});
  }
  write_atomically(tokens, content);
  const RunFolder again = run({config}, "runs").front();
  expect_equal_metrics(whole, again);
  const std::vector<MetricsRow> lines = read_metrics(again);
  EXPECT_FALSE(lines.at(0).tokens_per_second) << "trained by the attempt before";
  EXPECT_GT(lines.at(1).tokens_per_second.value_or(0), 0);
}

// Members of other horizons would share no step with one that is kept at its own.
TEST_P(PackFaults, ATestSetThatFailsAtOneHorizonKeepsThePackTogether) {
  std::vector<RunConfig> configs(2, tiny_run(GetParam()));
  configs[0].horizon.tokens = 31 * 32;
  const std::vector<RunFolder> whole = run(configs, "whole");
  const fs::path tokens = temp_.path() / "data" / "tiny" / "test.tokens";
  const std::string content = read_whole_file(tokens);
  {
    Pack pack(configs, options("runs"));
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(make_metrics_observer(pack));
    observers.push_back(std::make_unique<AfterUpdate>(31, [&] { fs::resize_file(tokens, 100); }));
    EXPECT_THROW(train(pack, observers, false), std::exception);
    for (const ReplicaRun& member : pack.members()) {
      EXPECT_EQ(checkpoint_steps(member.folder()), std::vector<int64_t>{31});
    }
  }
  write_atomically(tokens, content);
  const std::vector<RunFolder> again = run(configs, "runs");
  EXPECT_NE(notes_.find("resumed at step 31"), std::string::npos) << notes_;
  for (std::size_t r = 0; r < whole.size(); ++r) {
    expect_equal_metrics(whole[r], again[r]);
    EXPECT_EQ(read_whole_file(whole[r].window_losses()), read_whole_file(again[r].window_losses()));
  }
}

// Another machine's process may end its attempt while this one waits for a sign of life from it.
TEST_P(PackFaults, WhatAnotherTrainedWhileAPackWaitedForItsFolderIsNotThrownAway) {
  std::vector<RunConfig> configs(2, tiny_run(GetParam()));
  configs[1].seeds.init = 2;
  const RunFolder elsewhere = run({configs[0]}, "elsewhere", 20).front();
  const RunFolder folder{temp_.path() / "runs" / elsewhere.path.filename()};
  const fs::path lease = folder.path / "lease.0001.json";
  setenv("SCALELAW_HEARTBEAT_SECONDS", "0.05", 1);
  { const RunLease made(folder.path); }
  nlohmann::json foreign = nlohmann::json::parse(read_whole_file(lease));
  foreign["host"] = "node3";
  foreign["released"] = false;
  std::ofstream(lease) << foreign;
  PackOptions waiting = options("runs");
  waiting.note = [&](const std::string& text) {
    notes_ += text + "\n";
    if (fs::exists(folder.checkpoints())) return;
    fs::copy(elsewhere.checkpoints(), folder.checkpoints(), fs::copy_options::recursive);
    foreign["released"] = true;
    std::ofstream(lease) << foreign;
  };
  EXPECT_THROW(Pack(configs, waiting), ConfigError);
  unsetenv("SCALELAW_HEARTBEAT_SECONDS");
  EXPECT_NE(notes_.find("waiting"), std::string::npos) << notes_;
  EXPECT_EQ(checkpoint_steps(folder), std::vector<int64_t>{20});
  EXPECT_EQ(lease_holder(folder.path), std::nullopt);
}

// A power cut must not keep a checkpoint and lose the file with the lines before it.
TEST_P(PackFaults, LinesOfALaterAttemptAreOnDiskBeforeItsCheckpoint) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder folder = run({config}, "runs", 20).front();
  take_recorded_syncs();
  run({config}, "runs", 40);
  const std::vector<fs::path> syncs = take_recorded_syncs();
  const auto begun = std::ranges::find(syncs, folder.attempts());
  const auto named = std::find(begun, syncs.end(), folder.path);
  const auto kept = std::find(begun, syncs.end(), folder.checkpoints());
  ASSERT_NE(kept, syncs.end());
  EXPECT_LT(named, kept);
}

TEST_P(PackFaults, ADamagedRecordOfAnAttemptIsPassedOver) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  const RunFolder folder = run({config}, "runs", 20).front();
  std::ofstream(folder.attempt_file(1)) << "{";
  std::ofstream(folder.config()) << "model: {d_model: 12}\n";
  run({config}, "runs");
  expect_equal_metrics(whole, folder);
  const RunRecord record = read_run_record(folder);
  EXPECT_TRUE(std::ranges::any_of(
      record.events, [](const RunEvent& e) { return e.kind == "attempt_record_damaged"; }));
  ASSERT_EQ(record.attempts.size(), 1u);
  EXPECT_EQ(record.attempts.front().number, 2);
  EXPECT_EQ(read_whole_file(folder.config()), read_whole_file(whole.config()));
}

TEST_P(PackFaults, BytesThatAreNoTextInADamagedHeaderStopNothing) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  run({config}, "parts", 20);
  const RunFolder parts = run({config}, "parts", 40).front();
  {
    std::fstream file(checkpoint_file(parts, 40));
    file.seekp(12);
    file.put('\xff');
  }
  run({config}, "parts", 50);  // writes what it was told of the file into its own checkpoint
  run({config}, "parts");
  EXPECT_NE(notes_.find("resumed at step 50"), std::string::npos) << notes_;
  EXPECT_EQ(weights(whole, 60), weights(parts, 60));
  EXPECT_EQ(checkpoint_steps(parts), std::vector<int64_t>{60});
}

TEST_P(PackFaults, AForeignCheckpointIsSetAsideForTheOneBefore) {
  const RunConfig config = tiny_run(GetParam());
  RunConfig wide = config;
  wide.model.d_model = 32;
  const RunFolder other = run({wide}, "other", 40).front(), whole = run({config}, "whole").front();
  const RunFolder parts = run({config}, "parts", 20).front();
  const fs::path foreign = checkpoint_file(parts, 40);
  fs::copy_file(checkpoint_file(other, 40), foreign);
  run({config}, "parts", 30);
  EXPECT_NE(notes_.find("resumed at step 20"), std::string::npos) << notes_;
  EXPECT_TRUE(fs::exists(foreign.string() + ".rejected"));
  run({config}, "parts");
  EXPECT_FALSE(fs::exists(foreign.string() + ".rejected"));
  EXPECT_EQ(weights(whole, 60), weights(parts, 60));
}

TEST_P(PackFaults, ADamagedCheckpointFallsBackToTheOneBefore) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  run({config}, "parts", 20);
  const RunFolder parts = run({config}, "parts", 40).front();
  fs::resize_file(checkpoint_file(parts, 40), 1000);
  run({config}, "parts");
  EXPECT_NE(notes_.find("falling back"), std::string::npos) << notes_;
  EXPECT_NE(notes_.find("resumed at step 20"), std::string::npos) << notes_;
  EXPECT_EQ(weights(whole, 60), weights(parts, 60));
  expect_equal_metrics(whole, parts);
}

TEST_P(PackFaults, AMemberThatWouldLoseItsProgressIsRefused) {
  RunConfig other = tiny_run(GetParam());
  other.seeds.init = 9;
  run({tiny_run(GetParam())}, "runs", 20);
  EXPECT_THROW(Pack({tiny_run(GetParam()), other}, options("runs")), ConfigError);
  EXPECT_EQ(std::distance(fs::directory_iterator(temp_.path() / "runs"), {}), 1) << "no new folder";
  const RunFolder folder = run({tiny_run(GetParam())}, "runs").front();
  EXPECT_NE(notes_.find("resumed at step 20"), std::string::npos) << notes_;
  EXPECT_EQ(read_run_record(folder).steps, 60);
}

// Whatever the pack's own history: only a pack killed within its first checkpoints begins again.
TEST_P(PackFaults, APackWhoseMembersShareNoStepIsRefusedAndKeepsWhatItHas) {
  std::vector<RunConfig> configs(2, tiny_run(GetParam()));
  configs[1].seeds.init = 9;
  run(configs, "runs", 20);
  const std::vector<RunFolder> folders = run(configs, "runs", 40);
  fs::remove(checkpoint_file(folders[0], 40));
  const auto refused = [&] {
    EXPECT_THROW(Pack(configs, options("runs")), ConfigError);
    return checkpoint_steps(folders[1]);
  };
  fs::rename(checkpoint_file(folders[1], 20), temp_.path() / "kept");
  EXPECT_EQ(refused(), std::vector<int64_t>{40});
  EXPECT_EQ(checkpoint_steps(folders[0]), std::vector<int64_t>{20});
  fs::rename(temp_.path() / "kept", checkpoint_file(folders[1], 20));
  fs::remove(checkpoint_file(folders[0], 20));
  EXPECT_EQ(refused(), (std::vector<int64_t>{40, 20})) << "not its first";
  fs::remove(checkpoint_file(folders[1], 40));
  run(configs, "runs", 5);
  EXPECT_NE(notes_.find("starting again from step 0"), std::string::npos) << notes_;
  EXPECT_EQ(checkpoint_steps(folders[1]), std::vector<int64_t>{5});
}

TEST_P(PackFaults, ADivergenceThatCannotBeRecordedCostsThePackNothing) {
  std::vector<RunConfig> configs(2, tiny_run(GetParam()));
  configs[1].train.learning_rate = 1e30;
  configs[1].train.optimizer.clip_norm = 0;
  const std::vector<RunFolder> whole = run(configs, "whole");
  const RunRecord undisturbed = read_run_record(whole[1]);
  const int64_t step = undisturbed.events.back().step;
  ASSERT_EQ(undisturbed.steps, step - 1);
  std::vector<RunFolder> folders;
  for (const RunFolder& folder : whole) {
    folders.push_back({temp_.path() / "runs" / folder.path.filename()});
  }
  fs::create_directories(folders[1].merged_metrics() / "in the way");
  for (int attempt = 1; attempt <= 2; ++attempt) {
    EXPECT_THROW(run(configs, "runs"), std::exception);
    for (const RunFolder& folder : folders) {
      EXPECT_EQ(checkpoint_steps(folder), std::vector<int64_t>{step}) << "attempt " << attempt;
    }
  }
  fs::remove_all(folders[1].merged_metrics());
  run(configs, "runs");
  expect_equal_metrics(whole[0], folders[0]);
  EXPECT_EQ(weights(whole[0], 60), weights(folders[0], 60));
  const RunRecord record = read_run_record(folders[1]);
  EXPECT_EQ(record.state, RunState::kDiverged);
  EXPECT_EQ(record.steps, undisturbed.steps);
  EXPECT_EQ(std::ranges::count(record.events, "diverged", &RunEvent::kind), 1);
  EXPECT_EQ(record.events.back().detail, undisturbed.events.back().detail);
}

TEST_P(PackFaults, LaterCheckpointsOfAnAbandonedHistoryAreDropped) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  run({config}, "parts", 20);
  const RunFolder parts = run({config}, "parts", 40).front();
  fs::resize_file(checkpoint_file(parts, 40), 1000);
  run({config}, "parts", 25);
  EXPECT_EQ(checkpoint_steps(parts), (std::vector<int64_t>{25, 20}));
  const RunFolder end = run({config}, "parts").front();
  expect_equal_metrics(whole, end);
  EXPECT_EQ(checkpoint_steps(end), std::vector<int64_t>{60});
  const RunRecord record = read_run_record(end);
  EXPECT_TRUE(std::ranges::any_of(
      record.events, [](const RunEvent& e) { return e.kind == "checkpoint_rejected"; }));
}

TEST_P(PackFaults, AFolderRemovedWhileRunningIsAnError) {
  Pack pack({tiny_run(GetParam())}, options("runs"));
  pack.train_one_step();
  fs::remove_all(temp_.path() / "runs");
  EXPECT_THROW(pack.write_checkpoints(), std::runtime_error);
  EXPECT_FALSE(fs::exists(temp_.path() / "runs"));
}

TEST_P(PackFaults, ASecondProcessOnTheSameRunRefuses) {
  Pack first({tiny_run(GetParam())}, options("runs"));
  RunConfig other = tiny_run(GetParam());
  other.seeds.init = 9;
  EXPECT_THROW(Pack({other, tiny_run(GetParam())}, options("runs")), ConfigError);
  EXPECT_EQ(std::distance(fs::directory_iterator(temp_.path() / "runs"), {}), 1) << "no new folder";
}

TEST_P(PackFaults, BadInputLeavesNothingBehind) {
  RunConfig no_data = tiny_run(GetParam());
  no_data.data.train = "tinyy";
  RunConfig too_many_test_tokens = tiny_run(GetParam());
  too_many_test_tokens.data.test = {{"tiny", 1'000'000}};
  RunConfig large_batch = tiny_run(GetParam());
  large_batch.train.batch_tokens = large_batch.horizon.tokens = 8192;
  RunConfig same_name = tiny_run(GetParam());
  write_tiny_data_set(temp_.path() / "elsewhere");
  same_name.data.test[(temp_.path() / "elsewhere" / "tiny").string()] = 512;
  for (const RunConfig& config : {no_data, too_many_test_tokens, large_batch, same_name}) {
    EXPECT_THROW(Pack({config}, options("runs")), ConfigError);
  }
  RunConfig too_large = tiny_run(GetParam());
  too_large.model.n_layer = 1000;
  too_large.model.d_model = 65536;
  EXPECT_THROW(Pack({too_large}, options("runs")), ConfigError);
  RunConfig wider = tiny_run(GetParam());
  wider.model.d_model = 32;
  EXPECT_THROW(Pack({tiny_run(GetParam()), wider}, options("runs")), ConfigError);
  EXPECT_THROW(Pack({tiny_run(GetParam()), tiny_run(GetParam())}, options("runs")), ConfigError);
  EXPECT_FALSE(fs::exists(temp_.path() / "runs"));
}

}  // namespace
}  // namespace scalelaw
