// Whole runs on a tiny data set: what resuming, packing and diverging promise.
#include "trainer/pack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/data_set.h"
#include "trainer/safetensors.h"
#include "trainer/train_loop.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

RunConfig tiny_run(const std::string& arch) {
  RunConfig config;
  config.data.train = "tiny";
  config.data.test = {{"tiny", 512}};
  config.horizon.tokens = 60 * 32;
  config.model.arch = arch;
  config.model.n_layer = 1;
  config.model.d_model = 16;
  config.model.n_head = 2;
  config.model.n_ctx = 8;
  config.train.batch_tokens = 32;
  config.evaluate.tokens = 64;
  config.how.log_every = 7;
  return config;
}

// Stops the run after a given number of updates, as a signal would.
class StopAfter : public Observer {
 public:
  StopAfter(int64_t step, std::atomic<bool>& stop) : step_(step), stop_(stop) {}
  bool due(const Pack& pack) override { return pack.step() == step_; }
  void observe(Pack&) override { stop_ = true; }

 private:
  int64_t step_;
  std::atomic<bool>& stop_;
};

class PackTest : public testing::TestWithParam<std::string> {
 protected:
  PackTest() { write_tiny_data_set(temp_.path() / "data"); }

  PackOptions options(const std::string& store) {
    PackOptions o;
    o.runs = temp_.path() / store;
    o.data = temp_.path() / "data";
    o.note = [this](const std::string& text) { notes_ += text + "\n"; };
    return o;
  }
  // Trains to the end, or to `stop_at` updates; returns the folders.
  std::vector<RunFolder> run(const std::vector<RunConfig>& configs, const std::string& store,
                             int64_t stop_at = -1) {
    Pack pack(configs, options(store));
    std::vector<RunFolder> folders;
    for (const ReplicaRun& member : pack.members()) folders.push_back(member.folder());
    if (pack.finished()) return folders;
    std::atomic<bool> stop{false};
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(make_metrics_observer(pack));
    observers.push_back(std::make_unique<StopAfter>(stop_at, stop));
    train(pack, observers, stop);
    return folders;
  }
  TempDir temp_;
  std::string notes_;
};
INSTANTIATE_TEST_SUITE_P(Architectures, PackTest, testing::Values("transformer", "lstm"));

std::string weights(const RunFolder& folder, int64_t step) {
  const SafetensorsFile file(checkpoint_file(folder, step));
  std::string bytes;
  for (const auto& [name, view] : file.tensors()) {
    bytes += name;
    bytes.append(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
  }
  return bytes;
}

void expect_equal_metrics(const RunFolder& a, const RunFolder& b) {
  const auto left = read_metrics(a), right = read_metrics(b);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i].step, right[i].step);
    EXPECT_EQ(left[i].train_loss_nats, right[i].train_loss_nats) << "step " << left[i].step;
    EXPECT_EQ(left[i].grad_norm, right[i].grad_norm) << "step " << left[i].step;
    EXPECT_EQ(left[i].learning_rate, right[i].learning_rate);
    EXPECT_EQ(left[i].test_loss_nats, right[i].test_loss_nats);
  }
}

TEST_P(PackTest, LearnsTheCycleBetterThanTheUnigram) {
  const RunFolder folder = run({tiny_run(GetParam())}, "runs").front();
  const RunRecord record = read_run_record(folder);
  EXPECT_EQ(record.state, RunState::kComplete);
  EXPECT_EQ(record.steps, 60);
  EXPECT_EQ(record.train_tokens, 60 * 32);
  EXPECT_EQ(record.unique_train_tokens, 60 * 32);
  EXPECT_LT(record.test.at("tiny").loss_nats, 2.5);  // ln 17 = 2.83; the floor is 1.07
  EXPECT_EQ(record.test.at("tiny").tokens, 512);
  EXPECT_EQ(record.test.at("tiny").by_position.size(), 4u);  // 0, 1, 2-3, 4-7
  const SafetensorsFile losses(folder.window_losses());
  EXPECT_EQ(losses.at("tiny").shape, (std::vector<int64_t>{64}));
}

TEST_P(PackTest, StoppedAndResumedEqualsUninterrupted) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  for (const int64_t stop : {1, 13, 40, 59, 60, -1}) run({config}, "parts", stop);
  const RunFolder parts{temp_.path() / "parts" / whole.path.filename()};
  EXPECT_EQ(weights(whole, 60), weights(parts, 60));
  expect_equal_metrics(whole, parts);
  const RunRecord a = read_run_record(whole), b = read_run_record(parts);
  EXPECT_EQ(a.test.at("tiny").loss_nats, b.test.at("tiny").loss_nats);
  EXPECT_EQ(a.final_train_loss_nats, b.final_train_loss_nats);
  EXPECT_EQ(b.attempts.size(), 6u);
  EXPECT_EQ(b.events.size(), 5u);  // resumed
}

TEST_P(PackTest, AReplicaOfFourEqualsTheSameRunAlone) {
  std::vector<RunConfig> configs(4, tiny_run(GetParam()));
  for (std::size_t r = 0; r < configs.size(); ++r) {
    configs[r].seeds.init = static_cast<int64_t>(1 + r);
    configs[r].train.learning_rate = 0.002 * static_cast<double>(1 + r);
  }
  configs[3].horizon.tokens = 30 * 32;  // a shorter run leaves the pack earlier
  const std::vector<RunFolder> pack = run(configs, "pack");
  ASSERT_EQ(pack.size(), 4u);
  // A pack's products sum in another order, and training amplifies rounding by an amount of its
  // own: how much, the same runs tell, alone, with each batch summed in two halves.
  double by_packing = 0, by_rounding = 0;
  for (std::size_t r = 0; r < 4; ++r) {
    RunConfig halves = configs[r];
    halves.how.micro_batch_tokens = halves.train.batch_tokens / 2;
    const RunFolder alone = run({configs[r]}, "alone").front();
    const RunRecord a = read_run_record(pack[r]), b = read_run_record(alone);
    const RunRecord c = read_run_record(run({halves}, "halves").front());
    EXPECT_EQ(a.content_hash, b.content_hash);
    EXPECT_EQ(a.pack.size(), 4u);
    EXPECT_EQ(a.pack_row, static_cast<int>(r));
    EXPECT_EQ(a.steps, b.steps);
    const double loss = b.test.at("tiny").loss_nats;
    by_packing = std::max(by_packing, std::abs(a.test.at("tiny").loss_nats - loss));
    by_rounding = std::max(by_rounding, std::abs(c.test.at("tiny").loss_nats - loss));
  }
  EXPECT_GT(by_rounding, 0);
  EXPECT_LE(by_packing, 10 * by_rounding);
  EXPECT_LT(by_rounding, 1e-4) << "so the bound above says something";
}

TEST_P(PackTest, APackResumedAsTheSamePackIsEqual) {
  std::vector<RunConfig> configs(2, tiny_run(GetParam()));
  configs[1].seeds.data = 5;
  const auto whole = run(configs, "whole");
  run(configs, "parts", 17);
  const auto parts = run(configs, "parts");
  for (std::size_t r = 0; r < 2; ++r) {
    EXPECT_EQ(weights(whole[r], 60), weights(parts[r], 60));
    expect_equal_metrics(whole[r], parts[r]);
  }
}

TEST_P(PackTest, ADivergedReplicaIsMarkedAndThePackGoesOn) {
  std::vector<RunConfig> configs(2, tiny_run(GetParam()));
  configs[1].train.learning_rate = 1e30;
  configs[1].train.optimizer.clip_norm = 0;
  const auto folders = run(configs, "runs");
  const RunRecord healthy = read_run_record(folders[0]), diverged = read_run_record(folders[1]);
  EXPECT_EQ(healthy.state, RunState::kComplete);
  EXPECT_TRUE(std::isfinite(healthy.test.at("tiny").loss_nats));
  EXPECT_EQ(diverged.state, RunState::kDiverged);
  EXPECT_TRUE(diverged.test.empty());
  EXPECT_LT(diverged.steps, 60);
  ASSERT_FALSE(diverged.events.empty());
  EXPECT_EQ(diverged.events.back().kind, "diverged");
}

TEST_P(PackTest, ARunThatItsLastUpdateBreaksIsDiverged) {
  RunConfig config = tiny_run(GetParam());
  config.horizon.tokens = config.train.batch_tokens;
  config.train.learning_rate = 1e30;
  config.train.optimizer.clip_norm = 0;
  const RunRecord record = read_run_record(run({config}, "runs").front());
  EXPECT_EQ(record.state, RunState::kDiverged);
  EXPECT_EQ(record.steps, 1);
  EXPECT_TRUE(record.test.empty());
  ASSERT_FALSE(record.events.empty());
  EXPECT_EQ(record.events.back().kind, "diverged");
}

TEST_P(PackTest, EvaluationLeavesTrainingAsItIs) {
  RunConfig often = tiny_run(GetParam()), never = often;
  often.evaluate.points_per_decade = 1000;  // after every step
  never.evaluate.points_per_decade = 0;
  EXPECT_EQ(weights(run({often}, "often").front(), 60), weights(run({never}, "never").front(), 60));
}

TEST_P(PackTest, StoppedInTheFinalEvaluationTheTrainingIsKept) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  const RunFolder stopped = run({config}, "runs", 60).front();
  EXPECT_FALSE(fs::exists(stopped.record()));
  EXPECT_EQ(weights(stopped, 60), weights(whole, 60));
  const auto written = fs::last_write_time(checkpoint_file(stopped, 60));
  run({config}, "runs");
  EXPECT_EQ(fs::last_write_time(checkpoint_file(stopped, 60)), written);
  EXPECT_EQ(read_run_record(stopped).test.at("tiny").loss_nats,
            read_run_record(whole).test.at("tiny").loss_nats);
}

TEST_P(PackTest, DataThatFailWhileRunningCostNothing) {
  Pack pack({tiny_run(GetParam())}, options("runs"));
  pack.train_one_step();
  fs::resize_file(temp_.path() / "data" / "tiny" / "train.tokens", 100);
  EXPECT_THROW(pack.train_one_step(), std::exception);
  EXPECT_EQ(checkpoint_steps(pack.members().front().folder()), std::vector<int64_t>{1});
}

TEST_P(PackTest, ATestSetThatFailsWhileRunningCostsNothing) {
  Pack pack({tiny_run(GetParam())}, options("runs"));
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(make_metrics_observer(pack));
  fs::resize_file(temp_.path() / "data" / "tiny" / "test.tokens", 100);
  EXPECT_THROW(train(pack, observers, false), std::exception);
  EXPECT_EQ(checkpoint_steps(pack.members().front().folder()), std::vector<int64_t>{1});
}

TEST_P(PackTest, ProgressSpeaksOfTheLivingMembers) {
  std::vector<RunConfig> configs(2, tiny_run(GetParam()));
  configs[1].train.learning_rate = 1e30;
  configs[1].train.optimizer.clip_norm = 0;
  Pack pack(configs, options("runs"));
  std::string lines;
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(
      make_progress_observer(pack, 1e-9, true, [&](const std::string& line) { lines += line; }));
  train(pack, observers, false);
  EXPECT_NE(lines.find("mean of 2 runs in training"), std::string::npos) << lines;
  EXPECT_NE(lines.find("mean of 1 runs in training"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("nan"), std::string::npos) << lines;
}

TEST_P(PackTest, ADamagedRecordOfAnAttemptIsPassedOver) {
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

TEST_P(PackTest, BytesThatAreNoTextInADamagedHeaderStopNothing) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  run({config}, "parts", 20);
  run({config}, "parts", 40);
  const RunFolder parts{temp_.path() / "parts" / whole.path.filename()};
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

TEST_P(PackTest, AForeignCheckpointIsSetAsideForTheOneBefore) {
  const RunConfig config = tiny_run(GetParam());
  RunConfig wide = config;
  wide.model.d_model = 32;
  const RunFolder other = run({wide}, "other", 40).front(), whole = run({config}, "whole").front();
  run({config}, "parts", 20);
  const RunFolder parts{temp_.path() / "parts" / whole.path.filename()};
  const fs::path foreign = checkpoint_file(parts, 40);
  fs::copy_file(checkpoint_file(other, 40), foreign);
  run({config}, "parts", 30);
  EXPECT_NE(notes_.find("resumed at step 20"), std::string::npos) << notes_;
  EXPECT_TRUE(fs::exists(foreign.string() + ".rejected"));
  run({config}, "parts");
  EXPECT_FALSE(fs::exists(foreign.string() + ".rejected"));
  EXPECT_EQ(weights(whole, 60), weights(parts, 60));
}

TEST_P(PackTest, ADamagedCheckpointFallsBackToTheOneBefore) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  run({config}, "parts", 20);
  run({config}, "parts", 40);
  const RunFolder parts{temp_.path() / "parts" / whole.path.filename()};
  fs::resize_file(checkpoint_file(parts, 40), 1000);
  run({config}, "parts");
  EXPECT_NE(notes_.find("falling back"), std::string::npos) << notes_;
  EXPECT_NE(notes_.find("resumed at step 20"), std::string::npos) << notes_;
  EXPECT_EQ(weights(whole, 60), weights(parts, 60));
  expect_equal_metrics(whole, parts);
}

TEST_P(PackTest, AMemberThatWouldLoseItsProgressIsRefused) {
  RunConfig other = tiny_run(GetParam());
  other.seeds.init = 9;
  run({tiny_run(GetParam())}, "runs", 20);
  EXPECT_THROW(Pack({tiny_run(GetParam()), other}, options("runs")), ConfigError);
  EXPECT_EQ(std::distance(fs::directory_iterator(temp_.path() / "runs"), {}), 1) << "no new folder";
  const RunFolder folder = run({tiny_run(GetParam())}, "runs").front();
  EXPECT_NE(notes_.find("resumed at step 20"), std::string::npos) << notes_;
  EXPECT_EQ(read_run_record(folder).steps, 60);
}

TEST_P(PackTest, LaterCheckpointsOfAnAbandonedHistoryAreDropped) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run({config}, "whole").front();
  run({config}, "parts", 20);
  run({config}, "parts", 40);
  const RunFolder parts{temp_.path() / "parts" / whole.path.filename()};
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

TEST_P(PackTest, AFolderRemovedWhileRunningIsAnError) {
  Pack pack({tiny_run(GetParam())}, options("runs"));
  pack.train_one_step();
  fs::remove_all(temp_.path() / "runs");
  EXPECT_THROW(pack.write_checkpoints(), std::runtime_error);
  EXPECT_FALSE(fs::exists(temp_.path() / "runs"));
}

TEST_P(PackTest, AValidationSplitIsReadAsATestSetOfItsOwn) {
  TinyDataSet data;
  data.name = "choices";
  data.val_tokens = 700;
  write_tiny_data_set(temp_.path() / "data", data);
  RunConfig config = tiny_run(GetParam());
  config.data.train = "choices";
  config.data.test = {{"choices", 512}, {"choices/val", 512}};
  const RunRecord record = read_run_record(run({config}, "runs").front());
  ASSERT_EQ(record.test.size(), 2u);
  const DataSetInfo set = open_data_set(temp_.path() / "data", "choices");
  EXPECT_EQ(record.test.at("choices/val").token_hash, set.splits.at(Split::kValidation).token_hash);
  EXPECT_EQ(record.test.at("choices").token_hash, set.splits.at(Split::kTest).token_hash);
}

TEST_P(PackTest, ACompleteRunIsNotTrainedAgain) {
  const RunConfig config = tiny_run(GetParam());
  run({config}, "runs");
  EXPECT_TRUE(run({config}, "runs").empty());
  EXPECT_NE(notes_.find("complete already"), std::string::npos);
}

TEST_P(PackTest, ASecondProcessOnTheSameRunRefuses) {
  Pack first({tiny_run(GetParam())}, options("runs"));
  RunConfig other = tiny_run(GetParam());
  other.seeds.init = 9;
  EXPECT_THROW(Pack({other, tiny_run(GetParam())}, options("runs")), ConfigError);
  EXPECT_EQ(std::distance(fs::directory_iterator(temp_.path() / "runs"), {}), 1) << "no new folder";
}

TEST_P(PackTest, BadInputLeavesNothingBehind) {
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
