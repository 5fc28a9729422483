#include "trainer/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "trainer/config_error.h"

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
    verb->add_option("--jobs,-j", jobs, "side by side");
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
      {{"run", "f.yaml", "--jobs", "many"}, "Could not convert: --jobs = many"},
  };
  for (const Mistake& mistake : mistakes) {
    const Ended ended = parse(mistake.words);
    EXPECT_EQ(ended.exit_code, kExitBadInput);
    EXPECT_EQ(ended.message, "scalelaw sweep: error: " + std::string(mistake.message) +
                                 " (`scalelaw sweep --help` lists what it takes)\n");
  }
}

}  // namespace
}  // namespace scalelaw
