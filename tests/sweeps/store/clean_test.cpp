// What no result depends on goes, everything else stays.
#include "sweeps/store/clean_runs.h"

#include "sweeps/store/verify_runs.h"
#include "tests/support/small_disk.h"
#include "tests/sweeps/store/store_fixture.h"
#include "trainer/config_yaml.h"
#include "trainer/disk_space.h"
#include "trainer/kept_checkpoint.h"
#include "trainer/run_lease.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

class CleanTest : public StoreTest {
 protected:
  CleanTest() {
    // Of every run: two checkpoints more, one set aside, a draft.
    for (std::size_t cell = 0; cell < 4; ++cell) {
      for (const int64_t step : {1, 2}) overwrite(checkpoint_file(folder(cell), step), "12345");
      overwrite(folder(cell).checkpoints() / "step-000000000003.safetensors.rejected", "123");
      overwrite(folder(cell).attempts() / ".draft-0123456789abcdef", "1");
    }
  }
  CleanResult clean(const CleanOptions& options = {}) const {
    return clean_runs(runs_, read_store(runs_).runs, options);
  }
  std::vector<int64_t> steps(std::size_t cell) const { return checkpoint_steps(folder(cell)); }
  int64_t last(std::size_t cell) const { return plan_.cells[cell].steps; }
  void ask(const std::string& sweep, std::optional<KeptCheckpoint> keep) const {
    SweepRecord record = read_sweep_record(sweep_record_file(runs_, "many"));
    record.name = sweep;
    for (SweepCell& cell : record.cells) cell.keep = keep;
    write_sweep_record(sweep_record_file(runs_, sweep), record);
  }
  std::size_t tensors(std::size_t cell) const {
    return SafetensorsFile(checkpoint_file(folder(cell), last(cell))).tensors().size();
  }
  void make_old(const fs::path& path, int hours) const {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  }
};

TEST_F(CleanTest, LastCheckpointStaysUnlessNoneIsToBeKept) {
  const auto before = files_below(folder(0).path);
  const CleanResult result = clean();
  for (std::size_t cell = 0; cell < 4; ++cell) {
    EXPECT_EQ(steps(cell), std::vector<int64_t>{last(cell)});
  }
  EXPECT_EQ(result.removed.size(), 4 * 4u);
  EXPECT_EQ(result.bytes(), 4 * (5 + 5 + 3 + 1u));
  EXPECT_TRUE(result.left.empty());
  EXPECT_EQ(files_below(folder(0).path).size() + 4, before.size());
  const VerifyResult verified = verify_runs(runs_, read_store(runs_).runs);
  EXPECT_TRUE(verified.faults.empty()) << verify_text(verified);
  EXPECT_TRUE(clean().removed.empty());
  EXPECT_EQ(clean({.keep = KeepCheckpoints::kNone}).removed.size(), 4u);
  EXPECT_TRUE(steps(0).empty());
}

TEST_F(CleanTest, WeightsAloneStayWhereTheyAreAskedForAndAreStillTheRecords) {
  const fs::path file = checkpoint_file(folder(0), last(0));
  const SafetensorsFile whole(file);
  const CleanOptions weights = {.keep = KeepCheckpoints::kWeights};
  const CleanResult would = clean({.keep = KeepCheckpoints::kWeights, .dry_run = true});
  const CleanResult did = clean(weights);
  EXPECT_EQ(would.bytes(), did.bytes());
  EXPECT_EQ(clean_text(would, false), clean_text(did, false));
  EXPECT_NE(clean_text(did, false).find("removed all but the weights of " + name(0)),
            std::string::npos);
  const SafetensorsFile cut(file);
  ASSERT_EQ(cut.tensors().size(), 1u);
  EXPECT_TRUE(std::ranges::equal(cut.at("model.w").bytes, whole.at("model.w").bytes));
  EXPECT_EQ(cut.metadata().at("content_hash"), whole.metadata().at("content_hash"));
  const VerifyResult verified = verify_runs(runs_, read_store(runs_).runs);
  EXPECT_TRUE(verified.faults.empty()) << verify_text(verified);
  EXPECT_TRUE(clean(weights).removed.empty()) << "nothing beside them is left";
  auto metadata = cut.metadata();
  metadata["weights_of"] = std::string(32, '0');
  write_safetensors(file, cut.tensors(), metadata);
  const VerifyResult of_others = verify_runs(runs_, read_store(runs_).runs);
  ASSERT_EQ(of_others.faults.size(), 1u) << verify_text(of_others);
  EXPECT_NE(of_others.faults[0].what.find("is not the file"), std::string::npos);
}

// As a kill between the result and that leaves them.
TEST_F(CleanTest, CompleteRunsAreBroughtToWhatTheirConfigurationsKeep) {
  const auto configure = [&](std::size_t cell, KeptCheckpoint keep) {
    RunConfig config = plan_.cells[cell].config;
    config.how.keep = keep;
    overwrite(folder(cell).config(), to_yaml(config));
  };
  configure(0, KeptCheckpoint::kWeights);
  overwrite(folder(0).checkpoints() / ".draft-0123456789abcdef", "half");
  configure(1, KeptCheckpoint::kNone);
  configure(2, KeptCheckpoint::kNone);
  RunRecord record = read_run_record(folder(2));
  record.state = RunState::kDiverged;
  overwrite(folder(2).record(), to_json(record));
  overwrite(folder(3).config(), "no configuration");
  clean();
  EXPECT_EQ(SafetensorsFile(checkpoint_file(folder(0), last(0))).tensors().size(), 1u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder(0).checkpoints()), {}), 1) << "no draft";
  EXPECT_TRUE(steps(1).empty());
  EXPECT_EQ(steps(2), (std::vector<int64_t>{last(2), 2})) << "it diverged";
  EXPECT_EQ(steps(3), std::vector<int64_t>{last(3)});
  EXPECT_EQ(SafetensorsFile(checkpoint_file(folder(3), last(3))).tensors().size(), 3u);
}

TEST_F(CleanTest, ACheckpointThatIsDamagedOrFindsNoRoomStaysAsItIs) {
  clean();
  const fs::path file = checkpoint_file(folder(0), last(0));
  std::string content = text_of(file);
  content.back() ^= 1;
  overwrite(file, content);
  const CleanResult result = clean({.keep = KeepCheckpoints::kWeights});
  ASSERT_EQ(result.left.size(), 1u);
  EXPECT_NE(result.left[0].find("; it stays as it is"), std::string::npos) << result.left[0];
  EXPECT_EQ(text_of(file), content);

  const fs::path store = temp_.path() / "small";
  if (const std::string why = mount_small_disk(store, 8 << 20); !why.empty()) GTEST_SKIP() << why;
  fs::copy(folder(1).path, store / name(1), fs::copy_options::recursive);
  const fs::path there = checkpoint_file({store / name(1)}, last(1));
  const SafetensorsFile cut(there);
  const std::vector<float> many(std::size_t{1} << 18);
  const SafetensorView view = {
      "F32", {static_cast<int64_t>(many.size())}, std::as_bytes(std::span(many))};
  write_safetensors(there, {{"model.w", view}, {"optimizer.first_moment.w", view}}, cut.metadata());
  const auto before = files_below(store);
  fill_disk(store / "filler");
  EXPECT_THROW(keep_weights_alone(there), DiskFull);
  fs::remove(store / "filler");
  EXPECT_TRUE(files_below(store) == before);
}

TEST_F(CleanTest, ADivergedRunKeepsItsNewestTwoButForNone) {
  RunRecord record = read_run_record(folder(0));
  record.state = RunState::kDiverged;
  overwrite(folder(0).record(), to_json(record));
  for (const KeepCheckpoints keep :
       {KeepCheckpoints::kWeights, KeepCheckpoints::kAsked, KeepCheckpoints::kLast}) {
    clean({.keep = keep});
    EXPECT_EQ(steps(0), (std::vector<int64_t>{last(0), 2}));
    EXPECT_EQ(tensors(0), 3u);
  }
  clean({.keep = KeepCheckpoints::kNone});
  EXPECT_TRUE(steps(0).empty());
}

TEST_F(CleanTest, ANewestCheckpointThatIsDamagedCostsNoOlderOne) {
  overwrite(checkpoint_file(folder(0), last(0)), "no tensors");
  for (const KeepCheckpoints keep : {KeepCheckpoints::kWeights, KeepCheckpoints::kLast}) {
    const CleanResult result = clean({.keep = keep});
    EXPECT_EQ(steps(0), (std::vector<int64_t>{last(0), 2, 1}));
    ASSERT_EQ(result.left.size(), 1u) << clean_text(result, false);
    EXPECT_NE(result.left[0].find("the older checkpoints beside it stay"), std::string::npos);
  }
}

TEST_F(CleanTest, AsAskedIsTheMostThatTheSweepsOfTheStoreAskFor) {
  const CleanOptions as_asked = {.keep = KeepCheckpoints::kAsked, .sweep = "many"};
  ask("many", std::nullopt);
  clean(as_asked);
  EXPECT_EQ(tensors(0), 3u) << "as its configuration says";
  ask("many", KeptCheckpoint::kNone);
  ask("other", KeptCheckpoint::kWhole);
  const CleanResult kept = clean(as_asked);
  EXPECT_EQ(tensors(0), 3u);
  ASSERT_EQ(kept.notes.size(), 1u);
  const std::vector<StoreRun> runs = all();
  EXPECT_EQ(
      kept.notes[0],
      "sweep other uses 4 runs of these and asks for more of their checkpoints, which stays: " +
          runs[0].name + ", " + runs[1].name + ", " + runs[2].name + " and 1 more");
  ask("other", KeptCheckpoint::kWeights);
  EXPECT_EQ(clean(as_asked).notes.size(), 1u);
  EXPECT_EQ(tensors(0), 1u);
  ask("other", KeptCheckpoint::kNone);
  EXPECT_TRUE(clean(as_asked).notes.empty());
  EXPECT_TRUE(steps(0).empty());
}

TEST_F(CleanTest, AsAskedCutsNothingWhereARecordCannotBeRead) {
  ask("many", KeptCheckpoint::kNone);
  ask("other", KeptCheckpoint::kWhole);
  std::ofstream(sweep_record_file(runs_, "other")) << "{";
  const StoreRuns store = read_store(runs_);
  CleanOptions asked = {.keep = KeepCheckpoints::kAsked, .sweep = "many"};
  asked.unread = store.warnings;
  const CleanResult result = clean_runs(runs_, store.runs, asked);
  EXPECT_EQ(tensors(0), 3u);
  ASSERT_EQ(result.left.size(), 1u);
  EXPECT_NE(result.left[0].find("other.json"), std::string::npos) << result.left[0];
  EXPECT_NE(result.left[0].find("what it asks to keep is not known"), std::string::npos);
}

TEST_F(CleanTest, SweepsThatWantMoreThanIsToStayAreNamed) {
  ask("many", KeptCheckpoint::kWhole);
  ask("other", KeptCheckpoint::kWhole);
  const CleanOptions weights = {.keep = KeepCheckpoints::kWeights, .sweep = "many"};
  const CleanResult result = clean(weights);
  ASSERT_EQ(result.notes.size(), 1u) << "its own wish is not told";
  EXPECT_NE(clean_text(result, false)
                .find("note: sweep other uses 4 runs of these and asks for "
                      "more of their checkpoints: "),
            std::string::npos);
  EXPECT_TRUE(clean(weights).notes.empty()) << "nothing went";
}

TEST_F(CleanTest, AllCheckpointsStayWhenAskedFor) {
  clean({.keep = KeepCheckpoints::kAll});
  EXPECT_EQ(steps(0), (std::vector<int64_t>{last(0), 2, 1}));
}

TEST_F(CleanTest, DryRunSaysTheSameAndRemovesNothing) {
  const auto before = files_below(runs_);
  const CleanResult would = clean({.keep = KeepCheckpoints::kNone, .dry_run = true});
  EXPECT_TRUE(files_below(runs_) == before);
  EXPECT_NE(clean_text(would, true).find("would be freed"), std::string::npos);
  const CleanResult did = clean({.keep = KeepCheckpoints::kNone});
  EXPECT_EQ(would.bytes(), did.bytes());
  EXPECT_EQ(would.removed.size(), did.removed.size());
  EXPECT_GT(did.bytes(), 0u);
}

TEST_F(CleanTest, RunningRunIsNotTouchedAndUnfinishedOneKeepsWhatItGoesOnFrom) {
  make_unfinished(0);
  make_unfinished(1);
  const RunLease held(folder(1).path);
  const auto running = files_below(folder(1).path);
  const auto unfinished = files_below(folder(0).path);
  const CleanResult result = clean({.keep = KeepCheckpoints::kNone, .logs = true});
  EXPECT_TRUE(files_below(folder(1).path) == running);
  ASSERT_EQ(result.left.size(), 1u);
  EXPECT_NE(result.left[0].find("in use by"), std::string::npos);
  EXPECT_EQ(files_below(folder(0).path).size() + 1, unfinished.size());  // the draft alone
  EXPECT_EQ(steps(0), (std::vector<int64_t>{last(0), 2, 1}));
}

TEST_F(CleanTest, FullDiskIsCleanedOfWhatCompleteRunsDoNotNeed) {
  const fs::path store = temp_.path() / "small";
  if (const std::string why = mount_small_disk(store, 8 << 20); !why.empty()) GTEST_SKIP() << why;
  make_unfinished(1);
  fs::copy(runs_, store, fs::copy_options::recursive);
  fill_disk(store / "filler");
  const CleanResult result =
      clean_runs(store, read_store(store).runs, {.keep = KeepCheckpoints::kNone});
  EXPECT_GT(result.bytes(), 0u);
  for (const std::size_t cell : {0, 2, 3}) {
    EXPECT_TRUE(checkpoint_steps({store / name(cell)}).empty()) << cell;
  }
  EXPECT_FALSE(checkpoint_steps({store / name(1)}).empty());
}

TEST_F(CleanTest, RunWithADamagedRecordKeepsItsCheckpoints) {
  overwrite(folder(0).record(), "{");
  clean({.keep = KeepCheckpoints::kNone});
  EXPECT_EQ(steps(0), (std::vector<int64_t>{last(0), 2, 1}));
}

TEST_F(CleanTest, OfWhatWasTrainedBeforeARunWasBegunAnewCheckpointsGoWithItsSecondResult) {
  for (const std::size_t cell : {0, 1}) {
    const fs::path before = folder(cell).path / "before.0001";
    fs::create_directories(before / "checkpoints");
    fs::copy_file(checkpoint_file(folder(cell), last(cell)),
                  before / "checkpoints" / checkpoint_file(folder(cell), 9).filename());
    fs::copy_file(folder(2).window_losses(), before / folder(2).window_losses().filename());
    overwrite(before / "run.json", "{\"state\": \"diverged\"}");
  }
  make_unfinished(1);
  for (std::size_t cell = 0; cell < 4; ++cell) {
    for (const int64_t step : {1, 2}) fs::remove(checkpoint_file(folder(cell), step));
  }
  const VerifyResult verified = verify_runs(runs_, read_store(runs_).runs);
  EXPECT_TRUE(verified.faults.empty()) << verify_text(verified);
  const fs::path elsewhere = temp_.path() / "elsewhere";
  fs::create_directories(elsewhere / "checkpoints");
  fs::create_directory_symlink(elsewhere, folder(0).path / "before.0002");
  const auto but_for_leases = [&] {
    auto files = files_below(runs_);
    std::erase_if(files,
                  [](const auto& file) { return file.first.find("/lease.") != std::string::npos; });
    return files;
  };
  auto kept = but_for_leases();
  std::erase_if(kept, [&](const auto& file) {
    return file.first.starts_with(name(0) + "/before.0001/checkpoints/") ||
           file.first.find("/.draft-") != std::string::npos || file.first.ends_with(".rejected");
  });
  const fs::path of_unfinished = folder(1).checkpoints() / "step-000000000003.safetensors.rejected";
  kept[of_unfinished.lexically_relative(runs_)] = text_of(of_unfinished);
  clean({.keep = KeepCheckpoints::kAll});
  EXPECT_TRUE(but_for_leases() == kept) << "record, window losses, and all of the other run";
  EXPECT_FALSE(fs::exists(folder(0).path / "before.0001/checkpoints"));
  EXPECT_TRUE(fs::exists(elsewhere / "checkpoints"));
}

TEST_F(CleanTest, LogsGoWhenAskedForAndOnlyOfRunsWithAResult) {
  make_unfinished(1);
  const fs::path logs = runs_ / "sweeps/many/logs";
  fs::create_directories(logs);
  for (const std::size_t cell : {0, 1}) overwrite(logs / (name(cell) + ".log"), "said");
  clean();
  EXPECT_TRUE(fs::exists(logs / (name(0) + ".log")));
  clean({.logs = true});
  EXPECT_FALSE(fs::exists(logs / (name(0) + ".log")));
  EXPECT_TRUE(fs::exists(logs / (name(1) + ".log")));
}

TEST_F(CleanTest, WhatLiesBesideTheRunsGoesOnceItIsNobodys) {
  fs::create_directories(runs_ / ".import-abcdef/run");
  overwrite(runs_ / ".import-abcdef/run/run.json", "12");
  overwrite(runs_ / ".draft-0000000000000000", "1");
  fs::create_directories(runs_ / "predictions");
  const fs::path registering = runs_ / "predictions" / ".draft-0000000000000001";
  overwrite(registering, "1234");
  clean();
  EXPECT_TRUE(fs::exists(runs_ / ".import-abcdef"));
  EXPECT_TRUE(fs::exists(registering));
  make_old(registering, 2);
  make_old(runs_ / ".import-abcdef", 25);
  make_old(runs_ / ".draft-0000000000000000", 2);
  clean({.store = false});
  EXPECT_TRUE(fs::exists(runs_ / ".import-abcdef"));
  EXPECT_EQ(clean().bytes(), 3u + 4u);
  EXPECT_FALSE(fs::exists(registering));
  EXPECT_FALSE(fs::exists(runs_ / ".import-abcdef"));
  EXPECT_FALSE(fs::exists(runs_ / ".draft-0000000000000000"));
}

}  // namespace
}  // namespace scalelaw
