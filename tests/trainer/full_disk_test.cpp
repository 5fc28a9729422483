// Checkpoints beside training, and what a pack makes of a disk that is full.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/small_disk.h"
#include "tests/trainer/pack_fixture.h"
#include "trainer/atomic_file.h"
#include "trainer/disk_space.h"

namespace scalelaw {
namespace {

constexpr std::size_t kDiskBytes = 2 << 20;

// After each update from the one on to the other: what a draft that failed leaves is taken too.
class Through : public Observer {
 public:
  Through(int64_t first, int64_t last, std::function<void()> act)
      : first_(first), last_(last), act_(std::move(act)) {}
  bool due(const Pack& pack) override { return first_ <= pack.step() && pack.step() <= last_; }
  void observe(Pack&) override { act_(); }

 private:
  int64_t first_, last_;
  std::function<void()> act_;
};

class FullDisk : public PackTest {
 protected:
  // The store `small` is a disk of its own. Why it cannot be.
  std::string mount_store() { return mount_small_disk(store_, kDiskBytes); }
  // Once a checkpoint, which is being written, is there.
  void fill(const RunFolder& folder) {
    for (int i = 0; i < 60'000 && checkpoint_steps(folder).empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    fill_disk(filler_);
  }
  void make_room() { fs::remove(filler_); }
  // Trains on, with a checkpoint at every look.
  TrainOutcome train_checkpointed(Pack& pack, std::unique_ptr<Observer> also) {
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(make_metrics_observer(pack));
    observers.push_back(make_checkpoint_observer(1e-9));
    observers.push_back(std::move(also));
    return train(pack, observers, false);
  }

  fs::path store_ = temp_.path() / "small", filler_ = store_ / "filler";
};
INSTANTIATE_TEST_SUITE_P(Architectures, FullDisk, testing::Values("transformer", "lstm"));

TEST_P(FullDisk, ACheckpointBesideTrainingIsOfTheStepItWasBegunAt) {
  std::vector<RunConfig> configs(2, tiny_run(GetParam()));
  configs[1].seeds.init = 9;
  const std::vector<RunFolder> at_once = run(configs, "whole", 20);
  Pack pack(configs, options("beside"));
  while (pack.step() < 20) pack.train_one_step();
  pack.begin_checkpoints();
  while (pack.step() < 25) pack.train_one_step();
  EXPECT_GT(pack.end_checkpoints(), 0);
  EXPECT_TRUE(pack.checkpoints_are_written());
  for (std::size_t r = 0; r < 2; ++r) {
    EXPECT_EQ(weights(pack.members()[r].folder(), 20), weights(at_once[r], 20));
  }
}

TEST_P(FullDisk, AFaultOfTheWritingReachesTraining) {
  Pack pack({tiny_run(GetParam())}, options("runs"));
  pack.train_one_step();
  write_atomically(pack.members().front().folder().checkpoints(), "a file in its place");
  pack.begin_checkpoints();
  EXPECT_THROW(pack.end_checkpoints(), std::runtime_error);
  pack.begin_checkpoints();
  pack.train_one_step();
  EXPECT_THROW(pack.begin_checkpoints(), std::runtime_error);
}

TEST_P(FullDisk, CostsCheckpointsAndNothingElse) {
  if (const std::string why = mount_store(); !why.empty()) GTEST_SKIP() << why;
  RunConfig config = tiny_run(GetParam());
  config.how.log_every = 1;
  const RunFolder whole = run({config}, "whole").front();
  Pack pack({config}, options("small"));
  const RunFolder folder = pack.members().front().folder();
  int64_t kept = 0;
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(make_metrics_observer(pack));
  observers.push_back(make_checkpoint_observer(1e-9));
  observers.push_back(std::make_unique<Through>(20, 49, [&] { fill(folder); }));
  observers.push_back(std::make_unique<AfterUpdate>(50, [&] {
    kept = checkpoint_steps(folder).at(0);
    make_room();
  }));
  EXPECT_EQ(train(pack, observers, false), TrainOutcome::kFinished);
  EXPECT_LE(kept, 20);
  EXPECT_NE(notes_.find("No space left on device; training goes on, and the checkpoint of step " +
                        std::to_string(kept) + " is the last whole one"),
            std::string::npos)
      << notes_;
  expect_equal_metrics(whole, folder);
  EXPECT_EQ(weights(whole, 60), weights(folder, 60));
}

TEST_P(FullDisk, AResultWithoutRoomIsPublishedByTheNextAttempt) {
  if (const std::string why = mount_store(); !why.empty()) GTEST_SKIP() << why;
  RunConfig config = tiny_run(GetParam());
  config.how.log_every = 1;
  const RunFolder whole = run({config}, "whole").front();
  RunFolder folder;
  {
    Pack pack({config}, options("small"));
    folder = pack.members().front().folder();
    auto disturb = std::make_unique<AfterUpdate>(30, [&] { fill(folder); });
    EXPECT_THROW(train_checkpointed(pack, std::move(disturb)), DiskFull);
  }
  EXPECT_FALSE(fs::exists(folder.record()));
  EXPECT_FALSE(checkpoint_steps(folder).empty());
  EXPECT_THROW(run({config}, "small"), DiskFull) << "an attempt that cannot even begin";
  make_room();
  run({config}, "small");
  EXPECT_NE(notes_.find("resumed at step"), std::string::npos) << notes_;
  expect_equal_metrics(whole, folder);
  EXPECT_EQ(weights(whole, 60), weights(folder, 60));
}

TEST(CheckpointInterval, TakesNoMoreThanTwoPercentAndIsNoLessThanHalfAMinute) {
  EXPECT_EQ(checkpoint_interval(0), 30);
  EXPECT_EQ(checkpoint_interval(0.5), 30);
  EXPECT_EQ(checkpoint_interval(2), 100);
  for (const double cost : {0.6, 12.0, 60.0, 3600.0}) {
    EXPECT_DOUBLE_EQ(cost / checkpoint_interval(cost), 0.02) << cost;
  }
}

}  // namespace
}  // namespace scalelaw
