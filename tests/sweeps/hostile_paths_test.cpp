// Paths that would do something in a shell, on a terminal or in a log: they are paths and no more.
#include <gtest/gtest.h>

#include <string>

#include "tests/sweeps/sweep_program_fixture.h"

namespace scalelaw {
namespace {

constexpr const char* kHostile = "it's \"quoted\"\n`touch hacked`; $(touch hacked) & \x1b[31m *";

class HostilePaths : public SweepProgram {
 protected:
  HostilePaths() {
    const fs::path folder = temp_.path() / kHostile;
    fs::create_directories(folder);
    fs::rename(temp_.path() / "data", folder / "data");
    data_ = folder / "data";
    spec_ = folder / kHostile;
    runs_ = folder / "the runs";
  }
  ~HostilePaths() override {
    EXPECT_FALSE(fs::exists("hacked"));
    EXPECT_FALSE(fs::exists(temp_.path() / "hacked"));
  }
  // As the fixture's, with the data where they now are.
  ProgramResult scalelaw_sweep(const std::string& verb) const {
    std::vector<std::string> words = command(verb);
    words.at(6) = data_.string();
    return run_program(words);
  }
  // Beside the commands to copy, whose quotes hold a path as it is.
  static std::string without_commands(const std::string& output) {
    return output.substr(0, output.find("what failed and why:"));
  }

  fs::path data_;
};

TEST_F(HostilePaths, ASweepRunsAndIsLookedAt) {
  write_spec("[1, 2]");
  const ProgramResult result = scalelaw_sweep("run");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("s: 2 complete"), std::string::npos) << result.output;
  EXPECT_EQ(result.output.find('\x1b'), std::string::npos);
  EXPECT_EQ(read_sweep_record(sweep_record_file(runs_, "s")).spec_file, fs::absolute(spec_));
  EXPECT_EQ(scalelaw_sweep("status").exit_code, 0);
  // The line that begins an attempt's log is one line.
  const std::string log = text_of(runs_ / "sweeps/s/logs" / (folder_of(0) + ".log"));
  const std::string first = log.substr(0, log.find('\n'));
  EXPECT_NE(first.find("it's \"quoted\"\\n`touch hacked`"), std::string::npos) << log;
  EXPECT_EQ(log.find('\x1b'), std::string::npos);
}

TEST_F(HostilePaths, FaultsNameThemInOneLine) {
  write_spec("[1]");
  behave("1:crash");
  const ProgramResult failed = scalelaw_sweep("run");
  EXPECT_EQ(failed.exit_code, 1);
  const std::string text = without_commands(failed.output);
  EXPECT_NE(text.find("quoted\"\\n`touch hacked`"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;

  write_spec("[1, x]");
  const ProgramResult refused = scalelaw_sweep("plan");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(refused.output.starts_with("scalelaw sweep: error: line ")) << refused.output;
  EXPECT_EQ(refused.output.find('\n'), refused.output.size() - 1) << refused.output;
  EXPECT_EQ(refused.output.find('\x1b'), std::string::npos) << refused.output;
  fs::remove(spec_);
  const ProgramResult missing = scalelaw_sweep("plan");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_EQ(missing.output.find('\n'), missing.output.size() - 1) << missing.output;
}

}  // namespace
}  // namespace scalelaw
