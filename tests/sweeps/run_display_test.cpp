// The table of a running sweep, and lines where there is no terminal.
#include "sweeps/launch/run_display.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "sweeps/status/text_table.h"

namespace scalelaw {
namespace {

struct Example {
  Plan plan;
  PlannedCell cell;
  SweepView view;

  Example() {
    plan.name = "sizes";
    cell.folder = "lstm_l1w28";
    cell.steps = 2442;
    view.plan = &plan;
    view.states = {{CellState::kComplete, 3}, {CellState::kFailed, 0}, {CellState::kRunning, 1}};
    CellStatus progress;
    progress.step = 120;
    progress.loss_nats = 3.25;
    view.running = {{&cell, 0, progress, 90.0, ""}};
    view.elapsed_seconds = 240;
    view.seconds_left = 600.0;
  }
};

TEST(RunDisplay, ShowsStatesAndEachRunningCell) {
  const Example example;
  EXPECT_EQ(
      render(example.view),
      (std::vector<std::string>{"sizes: 1 running, 3 complete, 4 min so far, about 10 min left",
                                "  run         step    of    loss  tokens/s  left",
                                "  lstm_l1w28   120  2442  3.2500         -  90 s"}));
}

TEST(RunDisplay, APackIsOneRowThatSaysHowManyRunsItHas) {
  Example example;
  example.view.running[0].others = 63;
  EXPECT_TRUE(render(example.view).back().starts_with("  lstm_l1w28 +63   120  2442"))
      << render(example.view).back();
}

TEST(RunDisplay, WritesLinesAloneWithoutATerminal) {
  std::ostringstream out;
  {
    RunDisplay display(out, false, {24, 80});
    display.line("one");
    display.show(Example().view);
    display.line("two");
  }
  EXPECT_EQ(out.str(), "one\ntwo\n");
}

TEST(RunDisplay, TakesItsTableAwayAtTheEndAndKeepsTheLines) {
  std::ostringstream out;
  {
    RunDisplay display(out, true, {24, 80});
    display.show(Example().view);
    display.line("one");
  }
  EXPECT_NE(out.str().find("\033[3A\r\033[Jone\n"), std::string::npos) << out.str();
  EXPECT_TRUE(out.str().ends_with("\033[3A\r\033[J")) << out.str();
}

TEST(RunDisplay, FitsTheTerminal) {
  Example example;
  while (example.view.running.size() < 50) {
    example.view.running.push_back(example.view.running.front());
  }
  std::ostringstream out;
  RunDisplay display(out, true, {10, 30});
  display.show(example.view);
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LT(line.size(), 30u);
  EXPECT_EQ(count, 8);
  EXPECT_NE(out.str().find("and 45 more"), std::string::npos) << out.str();
}

TEST(DurationText, ChoosesItsUnit) {
  EXPECT_EQ(duration_text(0.42), "0.4 s");
  EXPECT_EQ(duration_text(45), "45 s");
  EXPECT_EQ(duration_text(120), "2 min");
  EXPECT_EQ(duration_text(2 * 3600), "2.0 h");
  EXPECT_EQ(duration_text(86400 * 10), "10.0 d");
}

}  // namespace
}  // namespace scalelaw
