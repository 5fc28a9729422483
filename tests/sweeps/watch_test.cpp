// A sweep as somebody sees it who only looks.
#include "sweeps/status/watch.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "sweeps/status/cell_watch.h"
#include "sweeps/status/failed_runs.h"
#include "sweeps/status/run_index.h"
#include "sweeps/status/text_table.h"
#include "sweeps/status/watch_frame.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/run_lease.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class WatchTest : public testing::Test {
 protected:
  RunFolder folder(std::size_t cell) const { return {run_folder(plan_, plan_.cells[cell])}; }
  void publish_run(std::size_t cell, RunState state = RunState::kComplete) {
    RunRecord record;
    record.content_hash = plan_.cells[cell].content_hash;
    record.state = state;
    record.steps = 63;
    if (state == RunState::kComplete) record.test["tiny"].loss_nats = 3;
    fs::create_directories(folder(cell).path);
    publish(folder(cell), record);
  }
  // As in a store that holds nothing of its own but what is written.
  std::set<std::string> files() const {
    std::set<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(plan_.options.runs)) {
      if (entry.path() != RunIndex::file_of(plan_.options.runs)) all.insert(entry.path());
    }
    return all;
  }
  std::string page() {
    std::string text;
    const LawGlances laws(plan_);
    const WatchView view = watch_view(plan_, look_at_all(plan_), laws, "noon");
    for (const std::string& line : render(plan_, view, std::nullopt)) text += line + "\n";
    return text;
  }
  void note_failure(std::size_t cell) {
    const SweepFolder notes = sweep_folder(plan_.options.runs, plan_.name);
    notes.prepare();
    std::ofstream(notes.log(plan_.cells[cell].folder)) << "--- now\nall is lost\n";
    append_unfinished(notes, {{plan_.cells[cell].content_hash,
                               {1, 0},
                               "all is lost",
                               "2026-11-22T20:00:00Z",
                               plan_.cells[cell].folder + ".log"}});
  }

  // With every part.
  WatchView full_view() const {
    WatchView view;
    view.head = "s: 2 missing, 1 running, 1 interrupted, 7 failed; 2026-11-23T09:00:00Z";
    view.arms = {{"transformer", {{CellState::kMissing, 2}, {CellState::kRunning, 1}}},
                 {"lstm", {{CellState::kInterrupted, 1}, {CellState::kFailed, 7}}}};
    CellStatus progress;
    progress.step = 21;
    progress.loss_nats = 2.5;
    progress.tokens_per_second = 3200;
    view.running.push_back({&plan_.cells[0], 0, progress, 754.0, "pid 12345 on node12"});
    view.silent = {"  " + plan_.cells[1].folder + ": no sign of life from pid 7 on node9"};
    view.laws = {
        {"transformer", "sizes", 60'400, 12, {{1200, 4.9386}, {40400, 4.3211}}, 0.038, 0.009},
        {"lstm", "sizes", 60'400, 12, {{1300, 4.8}, {41000, 4.1}}, 0.12, 0.0}};
    view.failed = {"failed, with the end of each one's log:",
                   "  " + plan_.cells[2].folder + ": exit 1: a_word_of_many_letters_from_a_log",
                   "    | what():  CUDA out of memory; tried to allocate 2.00 GiB"};
    view.work.running = 1;
    view.work.tokens_per_second = 3200;
    view.work.flops_per_second = 3.1e9;
    view.work.tokens_left = view.work.flops_left.emplace(5.35e10);
    view.work.seconds_left = 754;
    return view;
  }
  static std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
  static std::string without_blanks(std::string text) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
    return text;
  }

  TempDir temp_;
  Plan plan_ = small_plan(temp_.path(),
                          "arms: {one: {}, two: {model.d_model: 32}}, blocks: [{name: b, grid: "
                          "{seeds.init: [1, 2]}}]");
};

TEST_F(WatchTest, APageOfAnEmptyStore) {
  EXPECT_EQ(page(),
            "s: 4 missing; noon\n"
            "now: nothing runs; time left: about 0.1 s by the plan, when it runs, for 3.05B FLOPs "
            "(exact_causal)\n"
            "\n"
            "  arm  missing\n"
            "  one        2\n"
            "  two        2\n");
  EXPECT_FALSE(fs::exists(plan_.options.runs));
}

TEST_F(WatchTest, APageSaysWhatRunsWhoHasItAndWhatFailed) {
  publish_run(0);
  fs::create_directories(folder(1).path);
  const RunLease lease(folder(1).path);
  MetricsRow row;
  row.step = 21;
  row.train_loss_nats = 2.5;
  row.tokens_per_second = 32;
  std::ofstream(folder(1).metrics_part(1)) << to_json_line(row) + "\n";
  note_failure(2);
  const std::string held = look_at_all(plan_)[1].why, run = plan_.cells[1].folder;
  ASSERT_TRUE(held.starts_with("pid ")) << held;
  const std::string table = page();
  EXPECT_NE(table.find("s: 1 missing, 1 running, 1 complete, 1 failed; noon\n"
                       "now: 32 tokens/s, "),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("  arm  missing  running  complete  failed\n"
                       "  one        -        1         1       -\n"
                       "  two        1        -         -       1\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("  " + run + "    21  63  2.5000        32  42 s  " + held + "\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("law forming ("), std::string::npos) << table;
  EXPECT_TRUE(table.ends_with("\nfailed, with the end of each one's log:\n  " +
                              plan_.cells[2].folder + ": exit 1: all is lost\n    | all is lost\n"))
      << table;
}

TEST_F(WatchTest, RunsOfOneProcessAreOneRow) {
  std::vector<CellStatus> statuses(4);
  for (CellStatus& status : statuses) status.state = CellState::kRunning;
  for (const std::size_t cell : {0, 2}) {
    statuses[cell].why = "pid 5 on node1";
    statuses[cell].tokens_per_second = 10;
  }
  statuses[1].why = statuses[3].why = "another process";
  const std::vector<RunningPack> packs = running_packs(plan_, statuses);
  ASSERT_EQ(packs.size(), 3u) << "whose lease cannot be read may be anybody";
  EXPECT_EQ(packs[0].others, 1u);
  EXPECT_EQ(packs[0].progress.tokens_per_second, 20);
  EXPECT_EQ(packs[0].holder, "pid 5 on node1");
  EXPECT_DOUBLE_EQ(packs[0].seconds_left.value(), 63 * 32 / 10.0);
}

TEST_F(WatchTest, APageFitsTheTerminalAndKeepsWhatFailed) {
  WatchView view;
  view.head = "head";
  for (int i = 0; i < 50; ++i) {
    view.running.push_back({&plan_.cells[0], 0, {}, {}, "pid 1 on a"});
    view.arms.push_back({"arm" + std::to_string(i), {{CellState::kMissing, 1}}});
  }
  view.failed = {"failed, with the end of each one's log:", "  a: exit 1: no", "    | no"};
  for (int rows = 1; rows < 130; ++rows) {
    const auto lines = render(plan_, view, TerminalSize{rows, 80});
    EXPECT_LE(lines.size(), static_cast<std::size_t>(rows));
    if (rows < 6) continue;
    EXPECT_EQ(lines.back(), "    | no") << rows;
  }
  const std::string& folder = plan_.cells[0].folder;
  const std::string name = folder.substr(0, 19) + ".." + folder.substr(folder.size() - 12);
  const std::string row = "  " + name + "     0  63     -         -     -  pid 1 on a";
  EXPECT_EQ(render(plan_, view, TerminalSize{14, 80}),
            (std::vector<std::string>{
                "head", "", "  arm    missing", "  arm0         1", "  and 49 more arms", "",
                "  run                                step  of  loss  tokens/s  left  held by", row,
                row, "  and 48 more rows", "", view.failed[0], view.failed[1], view.failed[2]}));
}

TEST_F(WatchTest, ANarrowPageKeepsWhatMatters) {
  WatchView view = full_view();
  const std::string& folder = plan_.cells[0].folder;
  for (const int columns : {80, 60}) {
    const std::string text = joined(render(plan_, view, TerminalSize{24, columns}));
    for (const char* part : {"0.038  0.009", "pid 12345 on node12", "13 min",
                             "time left: about 13 min,\n  for 53.5B FLOPs (exact_causal)"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
    EXPECT_NE(text.find(".." + folder.substr(folder.size() - 12) + "  "), std::string::npos)
        << text;
  }
  PresentWork planned;
  planned.tokens_left = planned.flops_left.emplace(1.74e13);
  planned.planned_seconds_left = 64;
  std::swap(view.work, planned);
  view.head = "head";
  const std::vector<std::string> waiting = render(plan_, view, TerminalSize{24, 80});
  EXPECT_EQ(waiting[1], "now: nothing runs; time left: about 64 s by the plan, when it runs,");
  EXPECT_EQ(waiting[2], "  for 1.74e13 FLOPs (exact_causal)");
  view = {};
  view.head = "head";
  view.failed = {"failed, with the end of each one's log:",
                 "  a: exit 1",
                 "    | 1",
                 "    | 2",
                 "    | 3",
                 "  b: exit 1",
                 "    | 1"};
  EXPECT_EQ(render(plan_, view, TerminalSize{7, 80}).back(), "  and 3 more lines of them");
}

// Of every line, the table's own and those that are text.
TEST_F(WatchTest, AtNoWidthIsALineCut) {
  const WatchView view = full_view();
  const std::string& folder = plan_.cells[0].folder;
  std::vector<std::string> kept = {
      "0.038",
      "0.009",
      "0.120",
      "transformer",
      "lstm",
      "pid 12345 on node12",
      "13 min",
      folder.substr(folder.size() - 12),
      view.head,
      "law forming (N non_embedding): a glance, `scalelaw fit` is the analysis",
      "now: 3.2k tokens/s, 3.1B FLOP/s; time left: about 13 min, for 53.5B "
      "FLOPs (exact_causal)"};
  kept.insert(kept.end(), view.silent.begin(), view.silent.end());
  kept.insert(kept.end(), view.failed.begin(), view.failed.end());
  for (int columns = 3; columns <= 120; ++columns) {
    const auto lines = render(plan_, view, TerminalSize{1000, columns});
    for (const std::string& line : lines) EXPECT_LT(width(line), columns) << line;
    const std::string text = joined(lines);
    for (const std::string& part : kept) {
      EXPECT_NE(without_blanks(text).find(without_blanks(part)), std::string::npos)
          << columns << " columns: " << part << "\n"
          << text;
    }
    if (columns < 20) continue;
    for (const char* word : {"0.038", "0.009", "node12", "transformer"}) {
      EXPECT_NE(text.find(word), std::string::npos) << columns << " columns: " << word;
    }
  }
}

TEST_F(WatchTest, ANarrowPageOfFewRowsCountsWhatItLeavesOut) {
  WatchView view = full_view();
  for (int i = 0; i < 30; ++i) {
    view.running.push_back(view.running.front());
    view.silent.push_back(view.silent.front());
  }
  for (int columns = 20; columns <= 120; ++columns) {
    for (const int rows : {1, 2, 5, 10, 24, 60}) {
      const auto lines = render(plan_, view, TerminalSize{rows, columns});
      EXPECT_LE(lines.size(), static_cast<std::size_t>(rows));
      for (const std::string& line : lines) EXPECT_LT(width(line), columns) << line;
    }
  }
  view.failed.clear();
  const std::string page = joined(render(plan_, view, TerminalSize{24, 30}));
  EXPECT_NE(page.find("\n  and 30 more rows\n"), std::string::npos) << page;
}

TEST_F(WatchTest, ANarrowLawSaysWhichOfAnArmsItIs) {
  WatchView view;
  view.head = "head";
  view.laws = {{"lstm", "sizes", 60'400, 3, {{1200, 4.9}, {40400, 4.3}}, 0.038, 0.009},
               {"lstm", "data", 99'000, 3, {{1200, 4.9}, {40400, 4.2}}, -0.002, 0.001}};
  const std::string page = without_blanks(joined(render(plan_, view, TerminalSize{24, 30})));
  EXPECT_NE(page.find("lstm,sizes,D60.4k:L~N^-0.038,s.e.0.009"), std::string::npos) << page;
  EXPECT_NE(page.find("lstm,data,D99k:L~N^0.002,s.e.0.001"), std::string::npos) << page;
}

TEST_F(WatchTest, LooksTakeNoticeOfWhatChangesAndChangeNothing) {
  note_failure(3);
  publish_run(0);
  CellWatch watch(plan_);
  EXPECT_EQ(watch.statuses()[0].state, CellState::kComplete);
  EXPECT_EQ(watch.statuses()[1].state, CellState::kMissing);
  EXPECT_EQ(watch.statuses()[3].state, CellState::kFailed);
  publish_run(1, RunState::kDiverged);
  fs::create_directories(folder(2).path);
  const RunLease lease(folder(2).path);
  const std::set<std::string> before = files();
  watch.look();
  EXPECT_EQ(watch.statuses()[1].state, CellState::kDiverged);
  EXPECT_EQ(watch.statuses()[2].state, CellState::kRunning);
  EXPECT_EQ(files(), before);

  publish_run(3);
  watch.look();
  EXPECT_EQ(watch.statuses()[3].state, CellState::kComplete);
  note_failure(2);
  exclude_cell(sweep_record_file(plan_.options.runs, plan_.name),
               {plan_.cells[0].content_hash, plan_.cells[0].folder, "a reason", "now"});
  fs::remove_all(folder(1).path);  // as `retry --from-scratch` sets a diverged run aside
  for (int i = 0; i < 16; ++i) watch.look();
  EXPECT_EQ(watch.statuses()[0].state, CellState::kExcluded);
  EXPECT_EQ(watch.statuses()[1].state, CellState::kMissing);
  EXPECT_EQ(watch.statuses()[2].state, CellState::kRunning);
}

// On another machine, which only its heartbeat can tell of.
TEST_F(WatchTest, ARunWithoutASignOfLifeDoesNotRun) {
  fs::create_directories(folder(0).path);
  std::ofstream(folder(0).path / "lease.0001.json")
      << R"({"token": "t", "host": "node9", "boot": "b", "pid_namespace": "n", "pid": 7, )"
         R"("started": 1, "heartbeat_seconds": 0.001, "beats": 3, "released": false})";
  CellWatch watch(plan_);
  EXPECT_EQ(watch.statuses()[0].state, CellState::kRunning);
  for (int i = 0; i < 10'000 && watch.statuses()[0].state == CellState::kRunning; ++i) watch.look();
  EXPECT_EQ(watch.statuses()[0].state, CellState::kInterrupted);
  EXPECT_EQ(watch.statuses()[0].why, "no sign of life from pid 7 on node9");
  const WatchView view = watch_view(plan_, watch.statuses(), LawGlances(plan_), "noon");
  ASSERT_EQ(view.silent.size(), 1u);
  EXPECT_TRUE(fs::exists(folder(0).path / "lease.0001.json"));
}

TEST(EndOfSweep, IsWhenNothingIsLeftThatAnybodyWillStart) {
  std::vector<CellStatus> statuses(2);
  statuses[0].state = CellState::kComplete;
  EndOfSweep end;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(end.look(statuses)) << "somebody may start a launcher";
  statuses[1].state = CellState::kDiverged;
  EXPECT_EQ(end.look(statuses), kExitComplete);
  statuses[1].state = CellState::kFailed;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(end.look(statuses));
  statuses[1].state = CellState::kRunning;  // tried again
  EXPECT_FALSE(end.look(statuses));
  statuses[1].state = CellState::kFailed;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(end.look(statuses));
  EXPECT_EQ(end.look(statuses), kExitOther);
  statuses[1].is_held = true;
  EXPECT_EQ(EndOfSweep().look(statuses), kExitOther) << "too large for memory";
}

}  // namespace
}  // namespace scalelaw
