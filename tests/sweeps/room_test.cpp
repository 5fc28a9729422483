// What a sweep asks of disk and memory, against what is there.
#include "sweeps/launch/room.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "sweeps/plan/disk_needs.h"
#include "sweeps/status/note_files.h"
#include "sweeps/status/sweep_folder.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/config_error.h"
#include "trainer/disk_space.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class RoomTest : public testing::Test {
 protected:
  // Four runs, two at a time.
  void plan(const std::string& cells = "grid: {seeds.init: [1, 2, 3, 4]}", int replicas = 0) {
    PlanOptions options;
    options.workers.jobs = 2;
    options.workers.replicas = replicas;
    plan_ = small_plan(temp_.path(), cells, options);
    one_ = checkpoint_bytes(plan_.cells[0]);
    ASSERT_GT(one_, 12 * 12 * 64 * 64) << "values and two moments of 12 W^2 a layer";
  }
  DiskNeeds needs() const { return disk_needs(plan_, look_at_all(plan_)); }
  void put_checkpoint(std::size_t cell, double bytes) const {
    const fs::path folder = RunFolder{run_folder(plan_, plan_.cells[cell])}.checkpoints();
    fs::create_directories(folder);
    std::ofstream(folder / "step-000000000001.safetensors")
        << std::string(static_cast<std::size_t>(bytes), 'x');
  }

  TempDir temp_;
  fs::path store_ = temp_.path() / "runs";
  Plan plan_;
  double one_ = 0;
};

TEST_F(RoomTest, ThreeCheckpointsOfEachThatRunsAndOneOfEachThatIsComplete) {
  plan();
  const DiskNeeds all = needs();
  EXPECT_EQ(all.bytes_at_once, 2 * 3 * one_);
  EXPECT_GT(all.bytes_to_stay, 4 * one_);
  EXPECT_DOUBLE_EQ(all.bytes_at_peak, all.bytes_to_stay + 2 * 2 * one_);
  EXPECT_EQ(all.files_at_peak, all.files_to_stay + 4);
}

// Of what waits the largest runs are held out, mostly.
TEST_F(RoomTest, AtMostIsThatOfTheStageThatTakesMostAmongThemWhatWaits) {
  const std::string sizes =
      "grid: {model.d_model: [64, 16, 32, 128]}, keep: {resume_state: until_complete, weights: "
      "none}";
  plan(sizes);
  const DiskNeeds all = needs();
  const auto checkpoints = [&](std::size_t a, std::size_t b) {
    return 3 * (checkpoint_bytes(plan_.cells[a]) + checkpoint_bytes(plan_.cells[b]));
  };
  const double largest = checkpoints(0, 3), smallest = checkpoints(1, 2);
  EXPECT_DOUBLE_EQ(all.bytes_at_peak, all.bytes_to_stay + largest);
  plan(sizes + ", hold_out: {where: d_model >= 64, register: p}");
  EXPECT_EQ(needs().bytes_at_once, smallest) << "the others may start";
  EXPECT_DOUBLE_EQ(needs().bytes_at_peak, all.bytes_at_peak) << "and are complete then";
  EXPECT_EQ(needs().files_at_peak, all.files_at_peak);
  plan(sizes + ", hold_out: {where: d_model <= 32, register: p}");
  const double later = bytes_of_complete(plan_.cells[1]) + bytes_of_complete(plan_.cells[2]);
  EXPECT_DOUBLE_EQ(needs().bytes_at_peak, all.bytes_to_stay - later + largest);
  EXPECT_DOUBLE_EQ(needs().bytes_to_stay, all.bytes_to_stay);
  plan(sizes +
       ", tune: {learning_rate: {where: d_model == 64, factors: [0.5, 1, 2], then: fit_law}}");
  EXPECT_EQ(needs().bytes_at_once, 2 * 3 * one_) << "trials";
  EXPECT_DOUBLE_EQ(needs().bytes_at_peak, needs().bytes_to_stay + largest);
}

TEST_F(RoomTest, CheckpointsThatAreThereAreNotPaidForAgain) {
  plan();
  const DiskNeeds before = needs();
  for (const std::size_t cell : {0u, 1u, 2u, 3u}) put_checkpoint(cell, one_);
  EXPECT_NEAR(needs().bytes_to_stay, before.bytes_to_stay - 4 * one_, 4);
  EXPECT_NEAR(needs().bytes_at_once, 2 * 2 * one_, 4);
  for (const std::size_t cell : {0u, 1u, 2u, 3u}) put_checkpoint(cell, 5 * one_);
  EXPECT_EQ(needs().bytes_at_once, 2 * one_) << "a draft is needed whatever lies there";
  EXPECT_GE(needs().bytes_at_peak, needs().bytes_at_once) << "which are the drafts";
}

// Its folder by the file's rate is that of a run that was made at this rate.
TEST_F(RoomTest, NothingOfAnotherRunIsThereForACellThatWaitsForItsRate) {
  plan("grid: {seeds.init: [1, 2, 3, 4]}, tune: {learning_rate: {factors: [0.5, 1, 2]}}", 4);
  const DiskNeeds before = needs();
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
    if (plan_.cells[i].is_provisional()) waiting.push_back(i);
  }
  ASSERT_EQ(waiting.size(), 4u);
  const std::size_t packs = pack_cells(plan_, waiting).size();
  for (const std::size_t cell : waiting) {
    put_checkpoint(cell, one_);
    std::ofstream(RunFolder{run_folder(plan_, plan_.cells[cell])}.config()) << "spec: 1\n";
    EXPECT_EQ(files_to_train(plan_, plan_.cells[cell]), kFilesOfAnAttempt);
    EXPECT_EQ(bytes_to_train(plan_, plan_.cells[cell]), 3 * checkpoint_bytes(plan_.cells[cell]));
  }
  EXPECT_EQ(needs().bytes_to_stay, before.bytes_to_stay);
  EXPECT_EQ(needs().bytes_at_peak, before.bytes_at_peak);
  EXPECT_EQ(pack_cells(plan_, waiting).size(), packs);
}

TEST_F(RoomTest, FilesAtOnceAreThoseOfTheLargestPacksAndFewerOfRunsThatGoOn) {
  plan("list: [{seeds.init: 1}, {seeds.init: 2}, {seeds.init: 3}, {model.d_model: 32}]", 3);
  EXPECT_EQ(needs().files_at_once, (3 + 1) * kFilesOfAnAttempt)
      << packs_text(packs_to_run(plan_, look_at_all(plan_)));
  EXPECT_EQ(needs().files_at_peak - needs().files_to_stay, 2 * (3 + 1));
  plan();
  for (const PlannedCell& cell : plan_.cells) {
    fs::create_directories(run_folder(plan_, cell));
    std::ofstream(RunFolder{run_folder(plan_, cell)}.config()) << "spec: 1\n";
  }
  EXPECT_EQ(needs().files_at_once, 2 * kFilesOfAResumption);
}

TEST_F(RoomTest, RefusalSaysWhetherBytesOrFilesAreShort) {
  plan();
  const DiskNeeds all = needs();
  const auto refusal = [&](double bytes, double files) {
    try {
      check_disk(all, DiskSpace{bytes, files});
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refusal(1e12, 1).find("at once takes 24 files, and"), std::string::npos);
  EXPECT_NE(refusal(1, 1e6).find("B of checkpoints, and"), std::string::npos);
  EXPECT_NE(refusal(1, 1).find("B of checkpoints and 24 files, and"), std::string::npos);
}

TEST_F(RoomTest, OnlyWhatCannotEvenBeginIsRefused) {
  plan();
  const DiskNeeds all = needs();
  EXPECT_EQ(disk_warning(all, DiskSpace{all.bytes_at_peak, 1e6}), "");
  EXPECT_EQ(disk_warning(all, std::nullopt), "");
  EXPECT_NE(disk_warning(all, DiskSpace{all.bytes_at_peak - 1, 1e6}), "");
  EXPECT_NE(disk_warning(all, DiskSpace{all.bytes_at_peak, 10}), "") << "no room for files";
  EXPECT_NO_THROW(check_disk(all, DiskSpace{all.bytes_at_once, 1e6}));
  EXPECT_THROW(check_disk(all, DiskSpace{all.bytes_at_once - 1, 1e6}), ConfigError);
  EXPECT_EQ(all.files_at_once, 2 * kFilesOfAnAttempt);
  EXPECT_NO_THROW(check_disk(all, DiskSpace{all.bytes_at_once, all.files_at_once}));
  EXPECT_THROW(check_disk(all, DiskSpace{all.bytes_at_once, all.files_at_once - 1}), ConfigError);
  EXPECT_NO_THROW(check_disk(all, DiskSpace{all.bytes_at_once, std::nullopt})) << "as on btrfs";
}

TEST_F(RoomTest, RoomIsForOneCheckpointOfEachThatRunsAndAllOfTheNext) {
  if (const std::string why = mount_small_disk(store_, 16 << 20); !why.empty()) GTEST_SKIP() << why;
  plan();
  Room room(plan_);
  const std::vector<CellInProgress> running = {{0, 0}, {1, 0}};
  EXPECT_EQ(room.why_no_disk(running, {2}), "");
  EXPECT_EQ(room.why_pause(running), "");
  // Room for three checkpoints.
  std::ofstream(store_ / "filler")
      << std::string(static_cast<std::size_t>((16 << 20) - 3 * one_ - 300'000), 'x');
  EXPECT_EQ(room.why_no_disk(running, {}), "");
  EXPECT_NE(room.why_no_disk(running, {2}), "");
  fill_disk(store_ / "rest");
  EXPECT_NE(room.why_no_disk(running, {}).find("0 B free"), std::string::npos)
      << room.why_no_disk(running, {});
  EXPECT_NE(Room(plan_).why_pause(running), "");
  EXPECT_EQ(Room(plan_).why_pause({}), "");
}

TEST_F(RoomTest, ADiskThatTakesNoMoreFilesIsFull) {
  if (const std::string why = mount_small_disk(store_, 16 << 20, 32); !why.empty()) {
    GTEST_SKIP() << why;
  }
  plan();
  const Room room(plan_);
  EXPECT_EQ(room.why_no_disk({{0, 0}, {1, 0}}, {2}), "");
  for (int i = 0; i < 26; ++i) std::ofstream(store_ / std::to_string(i)).flush();
  EXPECT_EQ(room.why_no_disk({{0, 0}}, {}), "");
  EXPECT_NE(room.why_no_disk({{0, 0}}, {2}).find("more files"), std::string::npos);
}

TEST_F(RoomTest, NotesSayThatTheyFoundNone) {
  if (const std::string why = mount_small_disk(store_, 1 << 20); !why.empty()) GTEST_SKIP() << why;
  const fs::path notes = store_ / "notes";
  const auto append = [&](std::size_t length) {
    const nlohmann::ordered_json note = {{"reason", std::string(length, 'x')}};
    append_notes(notes, {note});
  };
  append(4095);
  fill_disk(store_ / "filler");
  EXPECT_THROW(append(8192), DiskFull);
  fs::remove(store_ / "filler");
  EXPECT_NO_THROW(append(1));
  EXPECT_EQ(read_notes(notes).size(), 2u) << "the one that was cut is passed over";
}

TEST_F(RoomTest, ARunWaitsForMemoryThatIsThere) {
  plan();
  EXPECT_EQ(Room(plan_).why_no_memory({0}), "");
  plan_.cells[0].memory_bytes = 1e18;
  EXPECT_NE(Room(plan_).why_no_memory({0}), "");
}

TEST_F(RoomTest, ARunThatDoesNotFitInMemoryIsToldOfBeforeTheStart) {
  plan();
  EXPECT_TRUE(check_room(plan_, look_at_all(plan_)).empty());
  plan_.cells[2].fits = false;
  const std::vector<std::string> warnings = check_room(plan_, look_at_all(plan_));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(warnings[0].starts_with("1 run will be refused for want of memory")) << warnings[0];
}

}  // namespace
}  // namespace scalelaw
