#include "analysis/run_table.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/hash.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

class Runs : public ::testing::Test {
 protected:
  // The message of the ConfigError that reading and selecting gives; "" when there is none.
  std::string refusal(const std::filesystem::path& path, Selection selection = {}) {
    try {
      table_ = read_runs({path});
      select_runs(table_, selection);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  void write(const std::vector<SyntheticRun>& runs) {
    for (const SyntheticRun& run : runs) write_synthetic_run(runs_, run);
  }
  static SyntheticRun of_width(int64_t d_model) {
    SyntheticRun run;
    run.d_model = d_model;
    return run;
  }

  TempDir temp_;
  std::filesystem::path runs_ = temp_.path() / "runs";
  RunTable table_;
};

TEST_F(Runs, RepeatedTrainingTextIsWarnedOf) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16), of_width(24)};
  write(runs);
  EXPECT_EQ(refusal(runs_), "");
  EXPECT_TRUE(table_.warnings.empty());
  runs[0].unique_train_tokens = runs[0].train_tokens / 2;
  runs[1].unique_train_tokens = runs[1].train_tokens / 8;
  std::filesystem::remove_all(runs_);
  write(runs);
  EXPECT_EQ(refusal(runs_), "");
  ASSERT_EQ(table_.warnings.size(), 1u);
  EXPECT_TRUE(table_.warnings[0].starts_with(
      "2 of 3 runs read their training text more than once, up to 8 times"))
      << table_.warnings[0];
}

TEST_F(Runs, ArmsComeFromTheSweepsRecordElseFromTheArchitecture) {
  std::vector<SyntheticRun> cells = {of_width(8), of_width(16)};
  cells[0].arm = "wide";
  cells[1].arm = "tall";
  const auto sweep = write_synthetic_sweep(runs_, "arms", cells);
  EXPECT_EQ(read_runs({sweep}).arms(), (std::vector<std::string>{"wide", "tall"}));
  EXPECT_EQ(read_runs({runs_}).arms(), (std::vector<std::string>{"transformer"}));
}

TEST_F(Runs, UnfinishedDivergedUnreadableAndForeignRunsAreExcludedWithTheirReason) {
  std::vector<SyntheticRun> cells = {of_width(8), of_width(16), of_width(24), of_width(32)};
  cells[1].complete = false;
  cells[2].state = RunState::kDiverged;
  const auto sweep = write_synthetic_sweep(runs_, "mixed", cells);
  cells[3].folder = "damaged";
  write_synthetic_run(runs_, cells[3]);
  std::ofstream(runs_ / "damaged" / "run.json") << "{";
  RunTable table = read_runs({sweep, runs_});
  EXPECT_EQ(table.rows.size(), 2u);
  ASSERT_EQ(table.excluded.size(),
            3u);  // the two of the sweep, met again in the folder, and damaged
  EXPECT_NE(table.excluded[0].reason.find("not complete"), std::string::npos);
  EXPECT_EQ(table.excluded[1].reason, "diverged");
  std::filesystem::remove_all(table.rows[0].folder.path);
  EXPECT_EQ(read_runs({sweep}).excluded.front().reason, "not started");
}

TEST_F(Runs, CountsFollowTheConvention) {
  write({of_width(16)});
  const RunTable table = read_runs({runs_});
  const RunRow& row = table.rows.front();
  EXPECT_EQ(row.n(NCount::kNonEmbedding), 12 * 2 * 16 * 16);
  EXPECT_EQ(row.n(NCount::kNonEmbeddingPlusHead), 12 * 2 * 16 * 16 + 512 * 16);
  EXPECT_NEAR(row.head_share(), 8192.0 / 14336, 1e-12);
}

TEST_F(Runs, PathsThatHoldNoRunsAreRefused) {
  EXPECT_NE(refusal(runs_).find("not there"), std::string::npos);
  std::filesystem::create_directories(runs_);
  EXPECT_NE(refusal(runs_).find("holds no run folder"), std::string::npos);
  std::ofstream(temp_.path() / "sweep.json") << "not json";
  EXPECT_NE(refusal(temp_.path() / "sweep.json").find("sweep.json"), std::string::npos);
}

TEST_F(Runs, NoCompleteRunSaysWhatToDo) {
  SyntheticRun run = of_width(8);
  run.complete = false;
  write({run});
  const std::string message = refusal(runs_);
  EXPECT_NE(message.find("no complete run"), std::string::npos) << message;
  EXPECT_NE(message.find(". Finish the runs first: `scalelaw sweep run"), std::string::npos)
      << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << "printed as \\n";
}

TEST_F(Runs, MixedTokenizersAreRefusedUnlessBitsPerByte) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16)};
  runs[1].tokenizer_hash = "ffffffffffffffffffffffffffffffff";
  write(runs);
  EXPECT_NE(refusal(runs_).find("bits_per_byte"), std::string::npos);
  Selection selection;
  selection.metric = LossMetric::kBitsPerByte;
  EXPECT_EQ(refusal(runs_, selection), "");
}

TEST_F(Runs, RunsWithoutTextBytesHaveNoBitsPerByteAndAreLeftOutForThatReason) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16)};
  runs[1].text_bytes_known = false;
  write(runs);
  Selection per_token;
  RunTable both = read_runs({runs_});
  select_runs(both, per_token);
  EXPECT_EQ(both.rows.size(), 2u);
  const std::string csv = runs_csv(both, per_token);
  EXPECT_EQ(csv.find("nan"), std::string::npos) << csv;
  EXPECT_NE(runs_json(both, per_token).find("\"bits_per_byte\": null"), std::string::npos);

  Selection per_byte;
  per_byte.metric = LossMetric::kBitsPerByte;
  RunTable one = read_runs({runs_});
  select_runs(one, per_byte);
  EXPECT_EQ(one.rows.size(), 1u);
  ASSERT_EQ(one.excluded.size(), 1u);
  EXPECT_NE(one.excluded[0].reason.find("bytes of text default has was not known to it; --bytes "
                                        "default=NUMBER"),
            std::string::npos)
      << one.excluded[0].reason;
}

TEST_F(Runs, AMissingTestSetIsRefusedAndNamesNothingElse) {
  write({of_width(8)});
  Selection selection;
  selection.test_set = "books";
  EXPECT_NE(refusal(runs_, selection).find("--test-set books: no run has"), std::string::npos);
  EXPECT_NE(refusal(runs_, selection).find("there is default"), std::string::npos);
}

TEST_F(Runs, AHorizonThatNoRunHasIsRefusedWithThoseThereAre) {
  write({of_width(8)});
  Selection selection;
  selection.train_tokens = 5;
  EXPECT_NE(refusal(runs_, selection).find("--tokens 5: no run was trained on as many; there is "),
            std::string::npos)
      << refusal(runs_, selection);
}

TEST_F(Runs, ALossAboveGuessingIsLeftOut) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16)};
  runs[1].loss_nats = 6.3;  // ln 512 = 6.24
  write(runs);
  RunTable table = read_runs({runs_});
  Selection selection;
  select_runs(table, selection);
  ASSERT_EQ(table.excluded.size(), 1U);
  EXPECT_NE(table.excluded[0].reason.find("worse than guessing"), std::string::npos);
}

TEST_F(Runs, SeveralTestSetsWithoutTheTrainingTextsOwnAskForAChoice) {
  SyntheticRun run = of_width(8);
  run.test_sets = {"books", "wiki"};
  write({run});
  const std::string message = refusal(runs_);
  EXPECT_NE(message.find("--test-set: books, wiki"), std::string::npos) << message;
}

TEST_F(Runs, RunsOfAnotherDAreExcludedNotMixedIn) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16), of_width(24)};
  runs[2].train_tokens = 1'000'448;
  write(runs);
  EXPECT_EQ(refusal(runs_), "");
  EXPECT_EQ(table_.rows.size(), 2u);
  ASSERT_EQ(table_.excluded.size(), 1u);
  EXPECT_NE(table_.excluded[0].reason.find("trained on 1M tokens"), std::string::npos)
      << table_.excluded[0].reason;
}

TEST_F(Runs, OverAllHorizonsRunsOfOneNAndDAreHeldTogether) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(8), of_width(16)};
  runs[1].train_tokens = 1'000'448;
  runs[1].learning_rate = .02;
  write(runs);
  const auto refused = [&] {
    Selection selection;
    try {
      table_ = read_runs({runs_});
      select_runs(table_, selection, Horizons::kAll);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    EXPECT_FALSE(selection.train_tokens);
    return std::string();
  };
  EXPECT_EQ(refused(), "");
  EXPECT_EQ(table_.rows.size(), 3u);
  SyntheticRun other = runs[1];
  other.n_head = 4;
  write({other});
  EXPECT_NE(refused().find("two recipes of N = 1.54k"), std::string::npos) << refused();
  std::filesystem::remove_all(runs_);
  other = runs[1];
  other.learning_rate = .03;
  write({runs[1], other});
  EXPECT_NE(refused().find("several learning rates (0.02, 0.03)"), std::string::npos) << refused();
}

TEST_F(Runs, HeldOutCellsCanBePassedOver) {
  std::vector<SyntheticRun> cells = {of_width(8), of_width(16)};
  cells[1].prediction = "hero";
  const auto sweep = write_synthetic_sweep(runs_, "held", cells);
  EXPECT_EQ(read_runs({sweep}).rows.size(), 2u);
  const RunTable table = read_runs({sweep}, HeldOutCells::kPassedOver);
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].record.shape.d_model, 8);
  EXPECT_TRUE(table.excluded.empty());
  EXPECT_TRUE(table.warnings.empty());
}

TEST_F(Runs, LearningRateReplicatesAreNotSeeds) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(8)};
  runs[1].seed = 2;
  runs[1].learning_rate = 0.02;
  write(runs);
  EXPECT_NE(refusal(runs_).find("several learning rates"), std::string::npos);
}

TEST_F(Runs, ShapesOfEqualNInOneArmAreNotSeeds) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(8)};
  runs[0].folder = "two_heads";
  runs[1].folder = "four_heads";
  runs[1].n_head = 4;
  write(runs);
  const std::string message = refusal(runs_);
  for (const char* part : {"two_heads", "four_heads", "arm transformer", "sweep file"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  runs[1].arm = "four_heads";
  const auto sweep = write_synthetic_sweep(temp_.path() / "arms", "arms", runs);
  EXPECT_EQ(refusal(sweep), "");
}

TEST_F(Runs, ACopiedFolderIsTheSameRun) {
  write({of_width(8), of_width(16)});
  const auto copies = temp_.path() / "copies";
  std::filesystem::create_directories(copies);
  for (const auto& entry : std::filesystem::directory_iterator(runs_)) {
    std::filesystem::copy(entry.path(), copies / ("copy of " + entry.path().filename().string()),
                          std::filesystem::copy_options::recursive);
  }
  EXPECT_EQ(read_runs({runs_, copies}).rows.size(), 2u);
}

TEST_F(Runs, ResultsOnDifferentTextsAreRefused) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16)};
  runs[0].folder = "one";
  runs[1].folder = "two";
  runs[1].test_token_hash = "another";
  write(runs);
  const std::string tested = refusal(runs_);
  EXPECT_NE(tested.find("one and two were tested on different texts"), std::string::npos) << tested;

  runs[1] = of_width(16);
  runs[1].test_windows = 512;
  for (SyntheticRun& run : runs) write_synthetic_run(temp_.path() / "tokens", run);
  EXPECT_NE(refusal(temp_.path() / "tokens").find("131072 and 65536 tokens"), std::string::npos);

  runs[1] = of_width(16);
  runs[1].train_hash = "another";
  for (SyntheticRun& run : runs) write_synthetic_run(temp_.path() / "trained", run);
  EXPECT_NE(refusal(temp_.path() / "trained").find("trained on different texts"),
            std::string::npos);
}

TEST_F(Runs, ArmsMayDifferInTextEachWithinItsOwn) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16)};
  runs[1].arm = "other";
  runs[1].train_hash = "another";
  runs[1].test_token_hash = "another";
  EXPECT_EQ(refusal(write_synthetic_sweep(runs_, "texts", runs)), "");
  EXPECT_EQ(table_.rows.size(), 2u);
}

TEST_F(Runs, ASweepsMissingRunsAreNamedAndItsChangedFileIsWarnedOf) {
  std::vector<SyntheticRun> cells = {of_width(8), of_width(16), of_width(24)};
  cells[1].state = RunState::kDiverged;
  cells[2].complete = false;
  const auto file = write_synthetic_sweep(runs_, "gaps", cells);
  SweepRecord sweep = read_sweep_record(file);
  sweep.spec_file = (temp_.path() / "gaps.yaml").string();
  std::ofstream(sweep.spec_file) << "name: gaps\n";
  sweep.spec_hash = hash_hex("name: gaps\n");
  write_sweep_record(file, sweep);
  const RunTable table = read_runs({file});
  ASSERT_EQ(table.warnings.size(), 1u);
  for (const std::string& part :
       {std::string("2 of the 3 runs of sweep gaps"), sweep.cells[1].folder + " (diverged)",
        sweep.cells[2].folder + " (not complete", " --runs " + runs_.string() + "`"}) {
    EXPECT_NE(table.warnings[0].find(part), std::string::npos) << table.warnings[0];
  }
  std::ofstream(sweep.spec_file) << "name: gaps # edited\n";
  const RunTable later = read_runs({file});
  ASSERT_EQ(later.warnings.size(), 2u);
  EXPECT_NE(later.warnings[1].find("no longer the file"), std::string::npos) << later.warnings[1];
}

TEST_F(Runs, CellsExcludedByNameAreNoRowsAndTheirReasonIsTold) {
  const auto file =
      write_synthetic_sweep(runs_, "chosen", {of_width(8), of_width(16), of_width(24)});
  const SweepRecord sweep = read_sweep_record(file);
  exclude_cell(file, {sweep.cells[1].content_hash, sweep.cells[1].folder, "a broken GPU", ""});
  const RunTable table = read_runs({file});
  EXPECT_EQ(table.rows.size(), 2u);
  ASSERT_EQ(table.excluded.size(), 1u);
  EXPECT_EQ(table.excluded[0].reason, "excluded: a broken GPU");
  ASSERT_EQ(table.warnings.size(), 1u);
  EXPECT_NE(table.warnings[0].find(sweep.cells[1].folder + " (excluded: a broken GPU)"),
            std::string::npos)
      << table.warnings[0];
  EXPECT_TRUE(include_cell(file, sweep.cells[1].content_hash));
  EXPECT_EQ(read_runs({file}).rows.size(), 3u);
}

TEST_F(Runs, FoldersLeaveOutWhatASweepOfTheirStoreExcludes) {
  const auto chosen =
      write_synthetic_sweep(runs_, "chosen", {of_width(8), of_width(16), of_width(24)});
  SweepRecord sweep = read_sweep_record(chosen);
  const SweepCell cell = sweep.cells[1];
  sweep.cells = {cell};
  const auto other = sweep_record_file(runs_, "other");
  write_sweep_record(other, sweep);
  exclude_cell(chosen, {cell.content_hash, cell.folder, "a broken GPU", ""});
  for (const auto& path : {runs_, runs_ / cell.folder, runs_ / cell.folder / ""}) {
    const RunTable table = read_runs({path});
    EXPECT_EQ(table.rows.size(), path == runs_ ? 2u : 0u);
    ASSERT_EQ(table.excluded.size(), 1u);
    EXPECT_EQ(table.excluded[0].folder_name, cell.folder);
    EXPECT_EQ(table.excluded[0].reason, "excluded from sweep chosen: a broken GPU");
  }
  EXPECT_EQ(read_runs({chosen, runs_}).rows.size(), 2u);
  const RunTable asked_for = read_runs({runs_, other});  // by a sweep that does not exclude it
  EXPECT_EQ(asked_for.rows.size(), 3u);
  EXPECT_TRUE(asked_for.excluded.empty());
}

TEST_F(Runs, WhatOneSweepExcludesIsNotLackingInAnotherThatUsesIt) {
  const auto a = write_synthetic_sweep(runs_, "a", {of_width(8), of_width(16)});
  SweepRecord sweep = read_sweep_record(a);
  sweep.name = "b";
  const auto b = sweep_record_file(runs_, "b");
  write_sweep_record(b, sweep);
  const SweepCell& cell = sweep.cells[1];
  exclude_cell(a, {cell.content_hash, cell.folder, "a broken GPU", ""});
  const RunTable table = read_runs({a, b});
  EXPECT_EQ(table.rows.size(), 2u);
  for (const RunTable& each : {table, read_runs({b, a})}) {
    EXPECT_TRUE(each.excluded.empty()) << "a row is not left out as well";
    ASSERT_EQ(each.warnings.size(), 1u);
    EXPECT_TRUE(each.warnings[0].starts_with(
        "1 of the 2 runs of sweep a are in this analysis only because another sweep"))
        << each.warnings[0];
    for (const SweepSource& source : each.sweeps) EXPECT_TRUE(source.not_used.empty());
  }
  std::filesystem::remove(runs_ / cell.folder / "run.json");
  EXPECT_EQ(read_runs({a, b}).warnings.size(), 2u) << "now it lacks in both";
}

TEST_F(Runs, ExcludedRunWithoutAResultIsListedWithTheReason) {
  std::vector<SyntheticRun> cells = {of_width(8), of_width(16)};
  cells[1].complete = false;
  const auto chosen = write_synthetic_sweep(runs_, "chosen", cells);
  const SweepCell cell = read_sweep_record(chosen).cells[1];
  for (const auto& path : {runs_, runs_ / cell.folder}) {
    EXPECT_NE(read_runs({path}).excluded.at(0).reason.find("resumes it"), std::string::npos);
  }
  exclude_cell(chosen, {cell.content_hash, "", "not needed", ""});
  for (const auto& path : {runs_, runs_ / cell.folder}) {
    const RunTable table = read_runs({path});
    ASSERT_EQ(table.excluded.size(), 1u);
    EXPECT_EQ(table.excluded[0].reason, "excluded from sweep chosen: not needed");
  }
}

TEST_F(Runs, ARunThatTwoArmsShareIsARowOfEach) {
  std::vector<SyntheticRun> cells = {of_width(8), of_width(16)};
  const auto file = write_synthetic_sweep(runs_, "shared", cells);
  SweepRecord sweep = read_sweep_record(file);
  sweep.cells[0].places = {{"wide", "a"}, {"tall", "a"}, {"wide", "b"}};
  sweep.cells[1].places = {{"tall", "a"}};
  write_sweep_record(file, sweep);
  RunTable table = read_runs({runs_, file});  // the sweep's arms win over the folder's
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[0].arm, "wide");
  EXPECT_EQ(table.rows[1].arm, "tall");
  EXPECT_EQ(table.rows[0].folder_name, table.rows[1].folder_name);
  Selection by_architecture;
  by_architecture.by = ArmGrouping::kArchitecture;
  select_runs(table, by_architecture);
  EXPECT_EQ(table.rows.size(), 2u);

  std::filesystem::remove_all(runs_ / sweep.cells[0].folder);
  EXPECT_EQ(read_runs({file, file}).excluded.size(), 2u);  // once in each arm
}

TEST_F(Runs, CsvQuotesHostileNamesAndHasOneLineARun) {
  SyntheticRun run = of_width(8);
  run.folder = "=cmd,\"a\"\nb";
  write({run});
  Selection selection;
  RunTable table = read_runs({runs_});
  select_runs(table, selection);
  const std::string csv = runs_csv(table, selection);
  EXPECT_NE(csv.find("\"'=cmd,\"\"a\"\"\nb\",transformer,used"), std::string::npos) << csv;
  EXPECT_NE(runs_json(table, selection).find("\"loss_nats\": 2.5"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
