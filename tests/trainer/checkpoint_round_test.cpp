// What a round of checkpoints leaves where it cannot be ended.
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/language_model.h"
#include "tests/support/recorded_syncs.h"
#include "tests/support/small_disk.h"
#include "tests/trainer/pack_fixture.h"
#include "trainer/attempt_cost.h"
#include "trainer/checkpoint.h"
#include "trainer/disk_space.h"
#include "trainer/parallel/rank_group.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

class CheckpointRoundTest : public PackTest {
 protected:
  std::vector<RunConfig> two_runs() const {
    std::vector<RunConfig> configs(2, tiny_run(GetParam()));
    configs[1].seeds.init = 9;
    return configs;
  }
  static std::vector<int64_t> steps(const Pack& pack, std::size_t r) {
    return checkpoint_steps(pack.members()[r].folder());
  }
  static void take_over(const RunFolder& folder) {
    std::ofstream(folder.path / "lease.0002.json") << "{}";
  }
};
INSTANTIATE_TEST_SUITE_P(Architectures, CheckpointRoundTest,
                         testing::Values("transformer", "lstm"));

TEST_P(CheckpointRoundTest, ADiskThatFillsWithinOneLeavesTheMembersACommonStep) {
  const fs::path store = temp_.path() / "small", filler = store / "filler", room = store / "room";
  const std::vector<RunFolder> whole = run(two_runs(), "whole", 1);
  const auto bytes = fs::file_size(checkpoint_file(whole[0], 1));
  if (const std::string why = mount_small_disk(store, 4 << 20); !why.empty()) GTEST_SKIP() << why;
  Pack pack(two_runs(), options("small"));
  const auto round_on_a_full_disk = [&] {
    pack.train_one_step();
    std::ofstream(room) << std::string(bytes + bytes / 2, ' ');
    fill_disk(filler);
    fs::remove(room);
    EXPECT_THROW(pack.write_checkpoints(), DiskFull);
    fs::remove(filler);
  };
  round_on_a_full_disk();
  for (const std::size_t r : {0, 1}) EXPECT_TRUE(steps(pack, r).empty()) << "the first of one";
  pack.write_checkpoints();
  for (int i = 0; i < 3; ++i) round_on_a_full_disk();
  for (const std::size_t r : {0, 1}) EXPECT_EQ(steps(pack, r), std::vector<int64_t>{1});
  for (int i = 0; i < 3; ++i) {
    pack.train_one_step();
    pack.begin_checkpoints();
    pack.end_checkpoints();
  }
  for (const std::size_t r : {0, 1}) EXPECT_EQ(steps(pack, r), (std::vector<int64_t>{7, 6}));
}

TEST_P(CheckpointRoundTest, LinesThatFindNoRoomLeaveTheMembersACommonStepToo) {
  Pack pack(two_runs(), options("runs"));
  pack.train_one_step();
  pack.write_checkpoints();
  pack.train_one_step();
  fail_syncs_of(pack.members()[1].folder().metrics_part(1), ENOSPC);
  EXPECT_THROW(pack.write_checkpoints(), DiskFull);
  for (const std::size_t r : {0, 1}) EXPECT_EQ(steps(pack, r), std::vector<int64_t>{1});
  pack.begin_checkpoints();
  pack.end_checkpoints();
  EXPECT_NE(notes_.find("cannot sync: No space left on device"), std::string::npos) << notes_;
  for (const std::size_t r : {0, 1}) EXPECT_EQ(steps(pack, r), std::vector<int64_t>{1});
  fail_syncs_of("", 0);
  pack.write_checkpoints();
  for (const std::size_t r : {0, 1}) EXPECT_EQ(steps(pack, r), (std::vector<int64_t>{2, 1}));
}

// The look before the renaming is the last one that can help.
TEST_P(CheckpointRoundTest, NothingIsRenamedIntoAFolderTakenOverWhileItWasWritten) {
  const RunConfig config = tiny_run(GetParam());
  ParameterArena arena;
  ModelShape shape = config.model;
  shape.n_vocab = 11;
  const auto model = make_model(shape, {}, arena);
  arena.allocate(1, at::kCPU);
  const AdamW optimizer(arena, {OptimizerConfig{}});
  const RunFolder folder{temp_.path() / "run"};
  const RunLease lease(folder.path);
  const auto write = [&](int64_t step, const std::function<void()>& meanwhile) {
    TrainingCursor cursor;
    cursor.step = step;
    CheckpointRound round;
    round.write({folder, "hash", cursor, step,
                 [&] {
                   meanwhile();
                   lease.check();
                 },
                 rows_of(state_of(arena, optimizer), 0)},
                arena.specs());
    round.end();
  };
  for (const int64_t step : {1, 2}) write(step, [] {});
  EXPECT_THROW(write(3, [&] { take_over(folder); }), LostLease);
  EXPECT_EQ(checkpoint_steps(folder), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.checkpoints()), {}), 2) << "no draft";
}

TEST_P(CheckpointRoundTest, OfAPackThatLosesOneFolderTheOthersAreSavedAndHaveNotFailed) {
  Pack pack(two_runs(), options("runs"));
  const RunFolder lost = pack.members()[0].folder(), kept = pack.members()[1].folder();
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(std::make_unique<AfterUpdate>(5, [&] {
    take_over(lost);
    pack.write_checkpoints();
  }));
  EXPECT_THROW(train(pack, observers, false), LostLease);
  EXPECT_TRUE(checkpoint_steps(lost).empty());
  EXPECT_EQ(checkpoint_steps(kept), std::vector<int64_t>{5});
  EXPECT_EQ(read_costs(lost).at(0).end, "lost");
  EXPECT_EQ(read_costs(kept).at(0).end, "interrupted");
}

TEST_P(CheckpointRoundTest, AFaultOfTheWriterCostsNobodyTheLastCheckpoint) {
  Pack pack(two_runs(), options("runs"));
  const fs::path in_the_way = pack.members()[0].folder().checkpoints();
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(std::make_unique<AfterUpdate>(5, [&] {
    std::ofstream(in_the_way) << "a file in its place";
    pack.begin_checkpoints();
    while (!pack.checkpoints_are_written()) {
    }
    fs::remove(in_the_way);
    throw std::runtime_error("something else");
  }));
  EXPECT_THROW(train(pack, observers, false), std::runtime_error);
  for (const std::size_t r : {0, 1}) EXPECT_EQ(steps(pack, r), std::vector<int64_t>{5});
  EXPECT_EQ(read_costs(pack.members()[0].folder()).at(0).end, "failed");
}

// One rank of two, whose other is its twin, and whose sums can fail.
class FailingSums : public RankGroup {
 public:
  FailingSums() : RankGroup(0, 2) {}
  std::unique_ptr<Pending> start_sum(const at::Tensor& tensor) override {
    if (tensor.scalar_type() == at::kDouble) tensor.fill_(tensor.max());  // each rank's, in a place
    return std::make_unique<Sum>(*this);
  }
  void broadcast(const at::Tensor&) override {}
  bool fails = false;

 private:
  struct Sum : Pending {
    explicit Sum(const FailingSums& of) : group(of) {}
    void wait() override {
      if (group.fails) throw std::runtime_error("a fault within an update");
    }
    const FailingSums& group;
  };
};

TEST_P(CheckpointRoundTest, AFaultWithinAnUpdateIsTheEndOfTheWritingToo) {
  const auto ranks = std::make_shared<FailingSums>();
  PackOptions with_ranks = options("runs");
  with_ranks.ranks = ranks;
  Pack pack({tiny_run(GetParam())}, std::move(with_ranks));
  pack.train_one_step();
  std::ofstream(pack.members()[0].folder().checkpoints()) << "a file in its place";
  pack.begin_checkpoints();
  ranks->fails = true;
  EXPECT_THROW(pack.train_one_step(), std::runtime_error);
  pack.save_before_leaving();
  EXPECT_TRUE(pack.checkpoints_are_written());
  EXPECT_NE(notes_.find("a checkpoint could not be written"), std::string::npos) << notes_;
  EXPECT_EQ(notes_.find("what was trained could not be saved"), std::string::npos) << notes_;
}

}  // namespace
}  // namespace scalelaw
