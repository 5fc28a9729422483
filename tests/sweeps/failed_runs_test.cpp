// What is shown of runs that failed, whatever their logs hold.
#include "sweeps/status/failed_runs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "sweeps/status/sweep_folder.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class FailedRuns : public testing::Test {
 protected:
  FailedRuns() {
    plan_.name = "s";
    plan_.options.runs = temp_.path();
    fs::create_directories(logs());
    add_cell("a");
  }
  fs::path logs() const { return sweep_folder(temp_.path(), "s").path / "logs"; }
  void add_cell(const std::string& folder) {
    PlannedCell cell;
    cell.folder = folder;
    plan_.cells.push_back(cell);
    statuses_.emplace_back();
    statuses_.back().state = CellState::kFailed;
    statuses_.back().why = "exit 1: no";
    statuses_.back().log = folder + ".log";
  }
  void write_log(const std::string& text) { std::ofstream(logs() / "a.log") << text; }
  std::vector<std::string> shown() const { return failed_lines(plan_, statuses_); }
  std::vector<std::string> log_lines() const {
    return last_log_lines(plan_, plan_.cells[0], statuses_[0]);
  }

  TempDir temp_;
  Plan plan_;
  std::vector<CellStatus> statuses_;
};

TEST_F(FailedRuns, ShowTheLastLinesOfTheirLogs) {
  write_log("1\n2\n\n  3\n4\n\n");
  EXPECT_EQ(shown(),
            (std::vector<std::string>{"failed, with the end of each one's log:", "  a: exit 1: no",
                                      "    | 2", "    |   3", "    | 4"}));
  statuses_[0].state = CellState::kComplete;
  EXPECT_TRUE(shown().empty());
}

TEST_F(FailedRuns, ShowNothingOfTheAttemptBefore) {
  write_log("old\n--- 2026-11-22T20:00:00Z scalelaw-train\nnew\n");
  EXPECT_EQ(log_lines(), std::vector<std::string>{"new"});
  write_log("old\n--- 2026-11-22T20:00:00Z scalelaw-train\n");
  EXPECT_TRUE(log_lines().empty());
}

TEST_F(FailedRuns, DoNotMoveTheCursor) {
  statuses_[0].why = "\x1b[2J";
  write_log(
      "\x1b]0;title\x07\xc2\x9b"
      "2J\xe2\x80\xae\xff"
      "end\n");
  std::string all;
  for (const std::string& line : shown()) all += line + "\n";
  EXPECT_NE(all.find("  a: \\x1b[2J\n"), std::string::npos) << all;
  EXPECT_NE(all.find("    |  ]0;title \\u009b2J\\u202e\\xffend\n"), std::string::npos) << all;
  EXPECT_EQ(all.find('\x1b'), std::string::npos);
}

TEST_F(FailedRuns, ReadTheEndOfAHugeLogAlone) {
  {
    std::ofstream log(logs() / "a.log");
    log.seekp(std::streamoff{1} << 40);  // a hole: read whole it would not fit
    log << "\nthe last\n";
  }
  EXPECT_EQ(log_lines().back(), "the last");
  write_log(std::string(10'000'000, 'x'));
  ASSERT_EQ(log_lines().size(), 1u);
  EXPECT_EQ(log_lines()[0], std::string(400, 'x'));
}

TEST_F(FailedRuns, OpenNothingButTheSweepsLogs) {
  std::ofstream(temp_.path() / "secret.log") << "secret\n";
  for (const char* log : {"../../../secret.log", "/etc/passwd", "..", "nothing.log"}) {
    statuses_[0].log = log;
    EXPECT_TRUE(log_lines().empty()) << log;
  }
  statuses_[0].log = "pipe.log";
  ASSERT_EQ(mkfifo((logs() / "pipe.log").c_str(), 0666), 0);
  EXPECT_TRUE(log_lines().empty()) << "nobody writes to it";
}

TEST_F(FailedRuns, AreCountedBeyondTheFirst) {
  for (int i = 0; i < 6; ++i) add_cell("b" + std::to_string(i));
  EXPECT_EQ(shown().size(), 1 + kFailedRunsShown + 1);
  EXPECT_EQ(shown().back(), "  and 2 more failed");
}

}  // namespace
}  // namespace scalelaw
