// Where each run stands, read from its folder and the sweep's notes.
#include "sweeps/status/cell_status.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <string>

#include "sweeps/device/packing.h"
#include "sweeps/launch/sweep_cells.h"
#include "sweeps/plan/reports.h"
#include "sweeps/status/named_cells.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/checkpoint_files.h"
#include "trainer/clock.h"
#include "trainer/run_lease.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

std::string metrics_line(int64_t step, double loss_nats) {
  MetricsRow row;
  row.step = step;
  row.train_loss_nats = loss_nats;
  row.tokens_per_second = 7;
  return to_json_line(row) + "\n";
}

class CellStatusTest : public testing::Test {
 protected:
  CellStatusTest() { write_tiny_data_set(temp_.path() / "data"); }

  void plan(const std::string& seeds) {
    PlanOptions options;
    options.runs = temp_.path() / "runs";
    options.data = temp_.path() / "data";
    plan_ = make_plan(
        parse_sweep_spec("{spec: 1, name: s, data: {train: tiny, test: {tiny: 512}}, horizon: "
                         "{tokens: 2000}, model: {n_ctx: 8, d_model: 16}, train: {batch_tokens: "
                         "32}, evaluate: {tokens: 64}, blocks: [{name: b, grid: {seeds.init: " +
                             seeds + "}}]}",
                         "s.yaml"),
        options);
    notes_ = sweep_folder(options.runs, plan_.name);
    fs::create_directories(notes_.path);
  }
  RunFolder folder(std::size_t cell = 0) const { return {run_folder(plan_, plan_.cells[cell])}; }
  CellStatus look(std::size_t cell = 0) const { return look_at_all(plan_).at(cell); }
  void add_checkpoint(int64_t step) {
    fs::create_directories(folder().checkpoints());
    std::ofstream(checkpoint_file(folder(), step)).flush();
  }
  void publish_run(std::size_t cell, RunState state) {
    RunRecord record;
    record.content_hash = plan_.cells[cell].content_hash;
    record.state = state;
    record.steps = 63;
    record.wall_seconds = 4;
    if (state == RunState::kComplete) {
      record.train_set = "b";
      record.test["a"].loss_nats = 2;
      record.test["b"].loss_nats = 3;
    }
    fs::create_directories(folder(cell).path);
    publish(folder(cell), record);
  }
  void note(const ProcessEnd& end, const std::string& reason) {
    append_unfinished(notes_, {{plan_.cells[0].content_hash, end, reason, utc_now()}});
  }

  TempDir temp_;
  Plan plan_;
  SweepFolder notes_;
};

TEST_F(CellStatusTest, MissingUntilThereIsSomethingToGoOnFrom) {
  plan("[1]");
  EXPECT_EQ(look().state, CellState::kMissing);
  fs::create_directories(folder().path);
  { RunLease lock(folder().path); }
  EXPECT_EQ(look().state, CellState::kMissing);
}

TEST_F(CellStatusTest, RunningWhileTheFolderIsHeldWithItsNewestLine) {
  plan("[1]");
  const RunLease lock(folder().path);
  add_checkpoint(10);
  std::ofstream(folder().metrics_part(1)) << metrics_line(20, 2.5);
  std::ofstream(folder().metrics_part(2)) << metrics_line(30, 2.4);
  const CellStatus status = look();
  EXPECT_EQ(status.state, CellState::kRunning);
  EXPECT_EQ(status.step, 30);
  EXPECT_EQ(status.loss_nats, 2.4);
  EXPECT_EQ(status.tokens_per_second, 7);
  EXPECT_NE(status.why.find("pid "), std::string::npos);
}

// An I/O error, or another user's rights, of one folder among thousands.
TEST_F(CellStatusTest, ALeaseThatCannotBeReadIsThatRunsFaultAlone) {
  plan("[1, 2]");
  fs::create_directories(folder(0).path / "lease.0001.json");
  publish_run(1, RunState::kComplete);
  std::string altered = to_json(read_run_record(folder(1)));
  altered.replace(altered.find("\"steps\": ") + 9, 1, "9");
  std::ofstream(folder(1).record()) << altered;
  EXPECT_NE(look(1).why.find("it was altered after it was written (record_hash differs)"),
            std::string::npos)
      << look(1).why;
  fs::remove(folder(1).record());
  publish_run(1, RunState::kComplete);
  EXPECT_EQ(look(0).state, CellState::kFailed);
  EXPECT_NE(look(0).why.find("lease.0001.json"), std::string::npos) << look(0).why;
  EXPECT_TRUE(look(0).needs_hand);
  EXPECT_EQ(look(1).state, CellState::kComplete);
}

TEST_F(CellStatusTest, AttemptsThatDiedBeforeTheirFirstLineHideNoLaterOnes) {
  plan("[1]");
  const RunLease lock(folder().path);
  std::ofstream(folder().metrics_part(2)) << metrics_line(20, 2.5);
  std::ofstream(folder().metrics_part(5)) << metrics_line(30, 2.4);
  EXPECT_EQ(look().step, 30);
  std::ofstream(folder().metrics_part(7)) << "";
  EXPECT_EQ(look().step, 30) << "the last one has just begun";
}

TEST_F(CellStatusTest, ProgressOfARunThatHasNoFolderYetIsNone) {
  EXPECT_EQ(progress_of(temp_.path() / "nowhere").step, 0);
}

TEST_F(CellStatusTest, InterruptedAtItsNewestCheckpoint) {
  plan("[1]");
  add_checkpoint(10);
  add_checkpoint(40);
  for (const char* other : {"step-000000000050.safetensors.rejected", "step-12junk.safetensors",
                            "step-60.safetensors", "step-000000000070junk.safetensors"}) {
    std::ofstream(folder().checkpoints() / other).flush();
  }
  note({3, 0}, "interrupted");
  EXPECT_EQ(look().state, CellState::kInterrupted);
  EXPECT_EQ(look().step, 40);
}

TEST_F(CellStatusTest, CompleteAndDivergedSaySo) {
  plan("[1, 2]");
  note({1, 0}, "a crash before");
  publish_run(0, RunState::kComplete);
  publish_run(1, RunState::kDiverged);
  EXPECT_EQ(look(0).state, CellState::kComplete);
  EXPECT_EQ(look(0).loss_nats, 3) << "of the training set's own test split";
  EXPECT_EQ(look(0).test_set, "b");
  EXPECT_EQ(look(1).state, CellState::kDiverged);
  EXPECT_EQ(look(1).why, "diverged after 63 steps");
  EXPECT_EQ(states_text(count_states(look_at_all(plan_))), "1 complete, 1 diverged");
}

TEST_F(CellStatusTest, FailedWithTheLastFailuresReason) {
  plan("[1]");
  note({1, 0}, "first");
  note({0, 9}, "second");
  EXPECT_EQ(look().state, CellState::kFailed) << "without a folder too";
  add_checkpoint(10);
  EXPECT_EQ(look().state, CellState::kFailed);
  EXPECT_EQ(look().why, "killed by signal 9 (Killed), perhaps for want of memory: second");
  note({3, 0}, "interrupted later");
  EXPECT_EQ(look().state, CellState::kInterrupted);
}

TEST_F(CellStatusTest, DamagedRecordAndAnotherRunsFolderAreFailures) {
  plan("[1, 2]");
  fs::create_directories(folder().path);
  std::ofstream(folder().record()) << "{";
  EXPECT_EQ(look(0).state, CellState::kFailed);
  EXPECT_NE(look(0).why.find("run.json: is damaged: cut short after 1 bytes; restore it"),
            std::string::npos)
      << look(0).why;
  publish_run(1, RunState::kComplete);
  fs::remove(folder(0).record());
  fs::copy(folder(1).record(), folder(0).record());
  EXPECT_EQ(look(0).state, CellState::kFailed);
  EXPECT_NE(look(0).why.find("another run"), std::string::npos);
}

TEST_F(CellStatusTest, FolderThatMayNotBeSearchedIsAFailureAndNotMissing) {
  plan("[1]");
  publish_run(0, RunState::kComplete);
  const fs::perms search = fs::perms::group_exec | fs::perms::others_exec;
  const bool root = ::geteuid() == 0;  // who may search anything: be nobody for a moment
  for (const fs::path& closed : {folder().path, plan_.options.runs}) {
    for (const fs::path& open : {temp_.path(), plan_.options.runs, folder().path}) {
      fs::permissions(open, search, fs::perm_options::add);
    }
    fs::permissions(closed, fs::perms::none);
    if (root && ::seteuid(65534) != 0) GTEST_SKIP() << "root, and cannot become nobody";
    const CellStatus status = look();
    ASSERT_TRUE(!root || ::seteuid(0) == 0);
    fs::permissions(closed, fs::perms::owner_all);
    EXPECT_EQ(status.state, CellState::kFailed);
    EXPECT_TRUE(status.why.starts_with(folder().path.string())) << status.why;
    EXPECT_TRUE(status.why.ends_with(": Permission denied")) << status.why;
  }
}

TEST_F(CellStatusTest, TornLinesAreLeftOut) {
  plan("[1]");
  note({1, 0}, "whole");
  const fs::path file = fs::directory_iterator(notes_.unfinished())->path();
  std::ofstream(file, std::ios::app) << "{\"content_hash\": \"" << plan_.cells[0].content_hash;
  EXPECT_NE(look().why.find("whole"), std::string::npos);
  note({1, 0}, "the next");
  EXPECT_NE(look().why.find("the next"), std::string::npos) << "on a line of its own";
  const std::string before = "{\"number\": 9, \"content_hash\": \"" + plan_.cells[0].content_hash +
                             "\", \"signal\": 0, \"reason\": \"bad\", \"ended_at\": \"\", ";
  for (const char* code : {"1e300", "0.5", "256", "-1", "null", "[]"}) {
    std::ofstream(file, std::ios::app) << before << "\"exit_code\": " << code << "}\n";
  }
  std::ofstream(file, std::ios::app) << std::string(300'000, '[') << "\n";
  EXPECT_NE(look().why.find("the next"), std::string::npos) << look().why;
}

TEST_F(CellStatusTest, TextAndJsonNameEveryCell) {
  plan("[1, 2]");
  publish_run(1, RunState::kComplete);
  const std::vector<CellStatus> statuses = look_at_all(plan_);
  for (const std::string& text :
       {status_text(plan_, statuses), status_json(plan_, statuses), plan_json(plan_, statuses)}) {
    EXPECT_NE(text.find("missing"), std::string::npos) << text;
    EXPECT_NE(text.find("complete"), std::string::npos) << text;
  }
}

TEST_F(CellStatusTest, FiveHundredCompleteRunsAreReadInHalfASecondOfTheCpu) {
  std::string seeds = "[1";
  for (int i = 2; i <= 500; ++i) seeds += ", " + std::to_string(i);
  plan(seeds + "]");
  publish_run(0, RunState::kComplete);
  RunRecord record = read_run_record(folder(0));
  for (std::size_t i = 1; i < plan_.cells.size(); ++i) {
    record.content_hash = plan_.cells[i].content_hash;
    fs::create_directory(folder(i).path);
    std::ofstream(folder(i).record()) << to_json(record);
  }
  const std::clock_t start = std::clock();
  const std::vector<CellStatus> statuses = look_at_all(plan_);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_EQ(count_states(statuses).at(CellState::kComplete), 500);
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(seconds, 0.5);
#endif
  RecordProperty("seconds", std::to_string(seconds));
}

// Of one that was freed by another launcher, which has noted that, or is next here.
TEST_F(CellStatusTest, WhatAnotherLauncherFoundTooLargeIsNotTakenAndNeedsAHand) {
  plan("[1, 2]");
  add_checkpoint(10);
  SweepCells cells(plan_);
  EXPECT_EQ(cells.not_taken({0, 1}), (PlannedPack{0, 1}));
  append_limits(notes_, plan_, {0}, {1, 0, true, 3e9});
  EXPECT_EQ(cells.not_taken({0, 1}), PlannedPack{1});
  for (const CellStatus& status : {cells[0], look(0)}) {
    EXPECT_EQ(status.state, CellState::kFailed);
    EXPECT_TRUE(status.needs_hand);
    EXPECT_EQ(status.step, 10);
    EXPECT_NE(status.why.find("memory, 3 GB a run, does not"), std::string::npos) << status.why;
  }
  EXPECT_EQ(packs_to_run(plan_, look_at_all(plan_)), std::vector<PlannedPack>{{1}});
  publish_run(0, RunState::kComplete);
  EXPECT_EQ(look(0).state, CellState::kComplete) << "on a larger machine";
  fs::remove(folder(0).record());
  forget_limits(notes_, plan_, {0});
  EXPECT_EQ(look(0).state, CellState::kInterrupted);
}

// As between the look that found it incomplete and the lease.
TEST_F(CellStatusTest, WhatAnotherProcessHasJustCompletedIsNotSetAside) {
  plan("[1, 2, 3, 4]");
  publish_run(0, RunState::kComplete);
  add_checkpoint(10);
  EXPECT_FALSE(set_aside_unless_complete(plan_, plan_.cells[0], RunLease(folder(0).path)));
  EXPECT_TRUE(fs::exists(checkpoint_file(folder(0), 10)));
  EXPECT_EQ(look(0).state, CellState::kComplete);
  publish_run(1, RunState::kDiverged);
  fs::create_directories(folder(2).path);
  std::ofstream(folder(2).record()) << "{";
  fs::create_directories(folder(3).path);
  fs::copy_file(folder(0).record(), folder(3).record());
  for (const std::size_t cell : {1, 2, 3}) {
    const RunLease held(folder(cell).path);
    EXPECT_TRUE(set_aside_unless_complete(plan_, plan_.cells[cell], held));
  }
  for (const std::size_t cell : {1, 2, 3}) {
    EXPECT_EQ(look(cell).state, CellState::kMissing);
  }
}

TEST(LastLine, IsTheLastThatIsNotBlankWithoutControlCharacters) {
  TempDir temp;
  const fs::path file = temp.path() / "log";
  EXPECT_EQ(last_line(file), "");
  std::ofstream(file) << "one\n\033[31mtwo\n\n  \n";
  EXPECT_EQ(last_line(file), " [31mtwo");
  std::ofstream(file) << std::string(100'000, 'x');
  EXPECT_EQ(last_line(file), std::string(400, 'x'));
}

}  // namespace
}  // namespace scalelaw
