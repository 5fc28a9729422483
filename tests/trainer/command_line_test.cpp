#include "trainer/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/program_exit.h"
#include "trainer/shell_word.h"

namespace scalelaw {
namespace {

struct Ended {
  int exit_code = 0;
  std::string message;
};

// How "scalelaw sweep WORDS" ends; 0 and no message when it can be read.
Ended parse(const std::vector<std::string>& words) {
  CLI::App app("A program with two verbs", "scalelaw sweep");
  app.require_subcommand(1);
  int jobs = 0;
  std::string spec;
  for (const char* name : {"plan", "run"}) {
    CLI::App* verb = app.add_subcommand(name, "does it");
    verb->add_option("SPEC", spec)->required();
    add_whole(*verb, "--jobs,-j", jobs, {0, 64}, "side by side");
  }
  testing::internal::CaptureStderr();
  Ended ended;
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    ended.exit_code = end_parse(app, error, "scalelaw sweep", words);
  }
  ended.message = testing::internal::GetCapturedStderr();
  return ended;
}

TEST(CommandLine, WhatCanBeReadIsRead) {
  const Ended ended = parse({"plan", "f.yaml", "--jobs=2"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.message, "");
}

TEST(CommandLine, HelpIsNoError) {
  testing::internal::CaptureStdout();
  const Ended ended = parse({"--help"});
  EXPECT_NE(testing::internal::GetCapturedStdout().find("does it"), std::string::npos);
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.message, "");
}

struct Mistake {
  std::vector<std::string> words;
  const char* message;
};

TEST(CommandLine, AMistakeIsOneLineWithTheNearestName) {
  const std::vector<Mistake> mistakes = {
      {{"pln", "f.yaml"}, "pln: no such verb; did you mean plan?"},
      {{"analyse"}, "analyse: no such verb"},
      {{"run", "f.yaml", "--job=2"}, "--job: no such option; did you mean --jobs?"},
      {{"run", "f.yaml", "--frobnicate", "2"}, "--frobnicate: no such option"},
      {{}, "A subcommand is required"},
      {{"run"}, "SPEC is required"},
      {{"run", "f.yaml", "--jobs"}, "--jobs: 1 required NUMBER missing"},
  };
  for (const Mistake& mistake : mistakes) {
    const Ended ended = parse(mistake.words);
    EXPECT_EQ(ended.exit_code, kExitBadInput);
    EXPECT_EQ(ended.message, "scalelaw sweep: error: " + std::string(mistake.message) +
                                 " (`scalelaw sweep --help` lists what it takes)\n");
  }
}

std::string fault(const std::string& text, const WholeRange& range) {
  try {
    whole_value("--jobs", text, range);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(CommandLine, WholeNumbersAreReadAsInAConfiguration) {
  EXPECT_EQ(whole_value("--steps", "1e3", {1}), 1000);
  EXPECT_EQ(whole_value("--steps", "20k", {1}), 20000);
  EXPECT_EQ(whole_value("--cap", "2MiB", {.bytes = true}), 2097152);
  EXPECT_EQ(whole_value("--steps", "0", {0}), 0);
}

TEST(CommandLine, WholeNumberOutOfItsRangeNamesOptionTextAndRange) {
  EXPECT_EQ(fault("-1", {0, 64}),
            "--jobs -1: must be a whole number (20000, 20k, 2.5M) of at least 0 and at most 64");
  EXPECT_EQ(fault("65", {0, 64}),
            "--jobs 65: must be a whole number (20000, 20k, 2.5M) of at least 0 and at most 64");
  for (const char* text : {"many", "0.5", "", "1 2", "2GB", "2%", "nan"}) {
    EXPECT_EQ(fault(text, {1}), "--jobs " + std::string(text) +
                                    ": must be a whole number (20000, 20k, 2.5M) of at least 1");
  }
  EXPECT_EQ(fault("99999999999999999999", {1}),
            "--jobs 99999999999999999999: too large; at most 9007199254740991 (2^53 - 1)");
}

TEST(CommandLine, FolderIsNeverEmptyNorReachedThroughOneThatIsNotThere) {
  const TempDir temp;
  const std::string here = temp.path().string();
  EXPECT_THROW(folder_value("--runs", ""), ConfigError);
  EXPECT_EQ(folder_value("--runs", "runs/"), "runs/");
  EXPECT_EQ(folder_value("--runs", "./runs"), "./runs");
  EXPECT_EQ(folder_value("--runs", "../runs"), "../runs");
  EXPECT_EQ(folder_value("--out", "none/../out"), "out");
  EXPECT_EQ(folder_value("--out", "none/./deep/../.."), ".");
  EXPECT_EQ(folder_value("--out", here + "/none/../out"), here + "/out");
  // Where it is there it may be a link, and its parent elsewhere.
  EXPECT_EQ(folder_value("--out", here + "/../out"), here + "/../out");
}

TEST(CommandLine, FolderThatIsClosedIsBadInputInOurWords) {
  const auto end = [](std::errc reason) {
    const std::filesystem::filesystem_error error("status", "runs/a", std::make_error_code(reason));
    testing::internal::CaptureStderr();
    const int exit_code = end_with_error("scalelaw fit", error);
    return std::pair(exit_code, testing::internal::GetCapturedStderr());
  };
  EXPECT_EQ(
      end(std::errc::permission_denied),
      std::pair(kExitBadInput, std::string("scalelaw fit: error: runs/a: Permission denied\n")));
  EXPECT_EQ(end(std::errc::io_error).first, kExitOther);
}

TEST(CommandLine, FolderOptionFillsItsField) {
  CLI::App app;
  std::string runs = "runs";
  EXPECT_EQ(add_folder(app, "--runs", runs, "of runs")->get_default_str(), "runs");
  app.parse(std::vector<std::string>{"there", "--runs"});
  EXPECT_EQ(runs, "there");
  EXPECT_THROW(app.parse(std::vector<std::string>{"", "--runs"}), ConfigError);
}

TEST(CommandLine, WholeOptionFillsItsFieldAndNeverOverflowsIt) {
  const auto read = [](const std::string& text) {
    CLI::App app;
    int32_t jobs = 7;
    EXPECT_EQ(add_whole(app, "--jobs,-j", jobs, {}, "side by side")->get_default_str(), "7");
    app.parse(std::vector<std::string>{text, "-j"});
    return jobs;
  };
  EXPECT_EQ(read("1e3"), 1000);
  EXPECT_EQ(read("2147483647"), 2147483647);
  EXPECT_THROW(read("2147483648"), ConfigError);
  EXPECT_THROW(read("-1"), ConfigError);
}

TEST(ShellWord, CommandInAMessageCanBePasted) {
  EXPECT_EQ(shell_word("runs/a-b.yaml"), "runs/a-b.yaml");
  EXPECT_EQ(shell_word("it's here"), "'it'\\''s here'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(folder_option("--runs", "./runs/", "runs"), "");
  EXPECT_EQ(folder_option("--runs", "f 1", "runs"), " --runs 'f 1'");
}

}  // namespace
}  // namespace scalelaw
