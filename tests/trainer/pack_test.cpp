// What resuming, packing and diverging promise.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "tests/trainer/pack_fixture.h"
#include "trainer/atomic_file.h"
#include "trainer/data/data_set.h"

namespace scalelaw {
namespace {

INSTANTIATE_TEST_SUITE_P(Architectures, PackTest, testing::Values("transformer", "lstm"));

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

}  // namespace
}  // namespace scalelaw
