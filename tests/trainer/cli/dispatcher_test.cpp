// The program `scalelaw` itself.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "trainer/cli/verbs.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

const std::string kProgram = "scalelaw";

TEST(Dispatcher, AlonePrintsEveryVerb) {
  const ProgramResult result = run_program({kProgram});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, overview());
}

TEST(Dispatcher, UnknownVerbOrOptionEndsWithTwoAndOneMessage) {
  for (const auto& arguments : {std::vector<std::string>{"dta"},
                                {"explain", "train.learning_rat"},
                                {"doctor", "--jsn"},
                                {"version", "please"}}) {
    std::vector<std::string> argv = {kProgram};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const ProgramResult result = run_program(argv);
    EXPECT_EQ(result.exit_code, 2) << arguments[0];
    EXPECT_TRUE(result.output.starts_with("scalelaw")) << result.output;
    EXPECT_NE(result.output.find(": error: "), std::string::npos) << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
  }
}

TEST(Dispatcher, VerbsDoneHereHaveHelpWithAnExample) {
  for (const char* verb : {"doctor", "explain", "version"}) {
    const ProgramResult result = run_program({kProgram, verb, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.output.find("Example"), std::string::npos) << result.output;
    EXPECT_EQ(run_program({kProgram, "help", verb}).output, result.output);
  }
}

TEST(Dispatcher, VersionNamesTheCommit) {
  const ProgramResult result = run_program({kProgram, "version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.output.starts_with("scalelaw ")) << result.output;
  EXPECT_NE(result.output.find("commit "), std::string::npos);
}

// Beside a copy of the dispatcher stands a program that says how it was called.
class DispatcherBesidesTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "bin");
    fs::copy_file(fs::path(SCALELAW_BIN_DIR) / kProgram, folder_ / "bin/scalelaw");
    const fs::path sibling = folder_ / "bin/scalelaw-fit";
    std::ofstream(sibling) << "#!/bin/sh\nprintf '[%s]' \"$@\"\nexit 3\n";
    chmod(sibling.c_str(), 0755);
  }
  TempDir temp_;
  fs::path folder_ = temp_.path() / "a folder";
};

TEST_F(DispatcherBesidesTest, ArgumentsAndExitCodePassUnchanged) {
  const ProgramResult result = run_program({folder_ / "bin/scalelaw", "report", "a b", "",
                                            "it's \"quoted\"", "two\nlines", "--out", "$HOME"});
  EXPECT_EQ(result.output, "[report][a b][][it's \"quoted\"][two\nlines][--out][$HOME]");
  EXPECT_EQ(result.exit_code, 3);
}

TEST_F(DispatcherBesidesTest, FindsItsSiblingsThroughALink) {
  fs::create_symlink(folder_ / "bin/scalelaw", folder_ / "link");
  EXPECT_EQ(run_program({folder_ / "link", "fit"}).output, "[fit]");
}

TEST_F(DispatcherBesidesTest, MissingSiblingIsNamed) {
  const ProgramResult result = run_program({folder_ / "bin/scalelaw", "data", "list"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("scalelaw-data"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace scalelaw
