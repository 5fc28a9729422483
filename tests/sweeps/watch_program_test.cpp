// `scalelaw sweep watch` on a terminal and off one.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "tests/support/terminal_program.h"
#include "tests/sweeps/sweep_program_fixture.h"

namespace scalelaw {
namespace {

constexpr const char* kEnter = "\033[?1049h\033[?25l";
constexpr const char* kLeave = "\033[?25h\033[?1049l";

class WatchProgram : public SweepProgram {
 protected:
  std::vector<std::string> watch() const { return command("watch", {"--every", "0.1s"}); }
  static bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  // What the screen showed last while it was the program's own.
  static std::string last_page(const std::string& output) {
    const std::size_t end = output.rfind(kLeave), begin = output.rfind("\033[H", end);
    return output.substr(begin, end - begin);
  }
};

TEST_F(WatchProgram, OffATerminalOnePage) {
  write_spec("[1, 2]");
  const ProgramResult result = run_program(command("watch"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.output.starts_with("s: 2 missing; 20")) << result.output;
  EXPECT_TRUE(holds(result.output, "Z\nnow: nothing runs; ")) << result.output;
  EXPECT_FALSE(fs::exists(runs_));
}

TEST_F(WatchProgram, OncePrintsAWholePageOnATerminalToo) {
  write_spec("[1, 2]");
  TerminalProgram program(command("watch", {"--once"}), 24, 80);
  const ProgramResult result = program.end();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.output.starts_with("s: 2 missing; 20")) << result.output;
}

TEST_F(WatchProgram, FollowsALauncherAndEndsWithTheSweep) {
  write_spec("[1, 2]");
  behave("1:hang,ok;2:ok");
  TerminalProgram program(watch(), 24, 100);
  EXPECT_TRUE(program.read_until([](const auto& text) { return holds(text, "2 missing"); }))
      << program.output();
  const pid_t launcher = start_program(command("run"), temp_.path() / "output");
  EXPECT_TRUE(program.read_until([](const auto& text) {
    return holds(text, "1 running, 1 complete") && holds(text, "  pid ");
  })) << program.output();
  kill(launcher, SIGTERM);
  wait_for(launcher);
  EXPECT_TRUE(program.read_until([](const auto& text) { return holds(text, "1 interrupted"); }))
      << program.output();
  EXPECT_EQ(run().exit_code, 0);
  const ProgramResult result = program.end();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.output.starts_with(kEnter)) << result.output;
  const std::size_t left = result.output.rfind(kLeave);
  ASSERT_NE(left, std::string::npos);
  EXPECT_TRUE(holds(result.output.substr(left), "s: 2 complete; 20")) << result.output;
}

TEST_F(WatchProgram, EndsWithOneWhereWhatIsLeftHasFailed) {
  write_spec("[1]");
  behave("1:refuse");
  EXPECT_EQ(run().exit_code, 1);
  TerminalProgram program(watch(), 24, 100);
  const ProgramResult result = program.end();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.output, "    | ")) << result.output;
}

TEST_F(WatchProgram, CtrlCGivesTheTerminalBack) {
  write_spec("[1]");
  TerminalProgram program(watch(), 24, 80);
  EXPECT_TRUE(program.read_until([](const auto& text) { return holds(text, "1 missing"); }));
  program.type("\x03");
  const ProgramResult result = program.end();
  EXPECT_EQ(result.exit_code, 3);
  const std::size_t left = result.output.rfind(kLeave);
  ASSERT_NE(left, std::string::npos) << result.output;
  EXPECT_TRUE(holds(result.output.substr(left), "s: 1 missing; 20")) << result.output;
}

TEST_F(WatchProgram, ObeysTheSizeOfTheTerminal) {
  write_spec("[1]");
  TerminalProgram program(command("watch", {"--every", "1m"}), 24, 80);
  EXPECT_TRUE(program.read_until([](const auto& text) { return holds(text, "nothing runs"); }));
  program.resize(1, 10);
  const std::string cut = "\033[Hs: 1\033[K\033[J";  // nine of ten columns hold no more words
  EXPECT_TRUE(program.read_until([&](const auto& text) { return text.ends_with(cut); }))
      << program.output();
  program.type("\x03");
  EXPECT_EQ(program.end().exit_code, 3);
}

TEST_F(WatchProgram, CtrlZLeavesTheShellItsScreen) {
  write_spec("[1]");
  TerminalProgram program(watch(), 24, 80);
  EXPECT_TRUE(program.read_until([](const auto& text) { return holds(text, "1 missing"); }));
  program.type("\x1a");
  EXPECT_TRUE(program.read_until([](const auto& text) { return text.ends_with(kLeave); }))
      << program.output();
}

TEST_F(WatchProgram, RefusesATimeThatIsNone) {
  write_spec("[1]");
  for (const char* every : {"0", "-1", "never", "1e-3s"}) {
    const ProgramResult result = run_program(command("watch", {"--every=" + std::string(every)}));
    EXPECT_EQ(result.exit_code, 2) << every;
    EXPECT_TRUE(holds(result.output, "--every")) << result.output;
  }
}

TEST_F(WatchProgram, StatusListsTheStatesAskedForAndWhatNeedsSomebodyLast) {
  write_spec("[1, 2, 3]");
  behave("1:refuse;2:diverge");
  EXPECT_EQ(run().exit_code, 1);
  const std::string all = run_program(command("status")).output;
  EXPECT_LT(all.find("complete"), all.find("diverged")) << all;
  EXPECT_LT(all.find("diverged"), all.find("failed")) << all;
  EXPECT_LT(all.find("failed, with the end of each one's log:"), all.find("\ns: ")) << all;
  const std::string some = run_program(command("status", {"--state", "failed,diverged"})).output;
  EXPECT_EQ(some.find(folder_of(2)), std::string::npos) << some;
  EXPECT_TRUE(holds(some, folder_of(0)) && holds(some, folder_of(1))) << some;
  EXPECT_TRUE(holds(some, "s: 1 complete, 1 diverged, 1 failed")) << some;
  const nlohmann::json json =
      nlohmann::json::parse(run_program(command("status", {"--json", "--state", "failed"})).output);
  ASSERT_EQ(json.at("cells").size(), 1u);
  EXPECT_EQ(json.at("cells")[0].at("state"), "failed");
  EXPECT_FALSE(json.at("cells")[0].at("log_lines").empty());
  EXPECT_EQ(json.at("work").at("running"), 0);
  const ProgramResult refused = run_program(command("status", {"--state", "faild"}));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(holds(refused.output, "did you mean failed?")) << refused.output;
}

}  // namespace
}  // namespace scalelaw
