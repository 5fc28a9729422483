#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/compressed_file.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class StandardInputTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream out(lines());
    for (int i = 0; i < 200; ++i) out << "{\"text\": \"document " << i << " of a pipe\"}\n";
    out.close();
    for (const char* suffix : {".gz", ".xz", ".zst"}) {
      put_compressed(lines() + suffix, read_whole_file(lines()));
    }
  }
  std::string lines() const { return (temp_.path() / "lines.jsonl").string(); }
  std::string data() const { return (temp_.path() / "data").string(); }
  // `producer | scalelaw-data build WORDS`; $1 in it is the file of lines.
  ProgramResult pipe(const std::string& producer, const std::string& words) const {
    return run_program(
        {"/bin/sh", "-c",
         producer + " | \"$0\" build " + words + " --tokenizer bytes --quiet --data " + data(),
         program_path("scalelaw-data").string(), lines()});
  }
  nlohmann::json token_hashes(const std::string& set) const {
    nlohmann::json hashes;
    const auto manifest =
        nlohmann::json::parse(std::ifstream(fs::path(data()) / set / "data_set.json"));
    for (const auto& [split, info] : manifest["splits"].items()) hashes[split] = info["token_hash"];
    return hashes;
  }

  TempDir temp_;
};

constexpr const char* kShares = " --val 10% --test 10%";

TEST_F(StandardInputTest, APipeOfJsonLinesPackedOrNotIsTheSetOfTheFile) {
  ASSERT_EQ(pipe("true", lines() + " --name file" + kShares).exit_code, 0);
  const std::map<std::string, std::string> producers = {
      {"plain", "cat \"$1\""},
      {"gz", "cat \"$1.gz\""},
      {"xz", "cat \"$1.xz\""},
      {"zst", "cat \"$1.zst\""},
      {"marked", R"({ printf '\357\273\277'; cat "$1"; })"},
      {"spaced", "{ echo; cat \"$1\"; }"}};
  for (const auto& [name, producer] : producers) {
    const ProgramResult result = pipe(producer, "- --name " + name + kShares);
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(token_hashes(name), token_hashes("file")) << name;
    EXPECT_FALSE(fs::exists(fs::path(data()) / ("." + name + ".build")));
  }
  EXPECT_NE(
      pipe("cat \"$1\"", std::string("- --name plain") + kShares).output.find("already there"),
      std::string::npos);
}

TEST_F(StandardInputTest, AnythingElseIsOneTextAndMayBeASplitOfItsOwn) {
  ASSERT_EQ(pipe("seq 1 20000", "- --name numbers --split-by piece --piece-bytes 1024").exit_code,
            0);
  const auto manifest =
      nlohmann::json::parse(std::ifstream(fs::path(data()) / "numbers" / "data_set.json"));
  EXPECT_EQ(manifest["counts"]["documents"], 1);
  EXPECT_EQ(manifest["counts"]["documents_cut"], 1);
  EXPECT_EQ(manifest["counts"]["longest_document_bytes"], 108894) << "of seq 1 20000";
  EXPECT_EQ(manifest["sources"][0]["given"][0], "-");
  const ProgramResult test = pipe("echo held out", lines() + " --name held --val 0 --test -");
  EXPECT_EQ(test.exit_code, 0) << test.output;
}

TEST_F(StandardInputTest, WhatCannotBeReadEndsWithTwoAndIsCalledStandardInput) {
  const auto refuse = [&](const std::string& producer, const std::string& words,
                          const std::string& part) {
    const ProgramResult result = pipe(producer, words + " --name x");
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
    EXPECT_EQ(result.output.find(".x.build"), std::string::npos) << result.output;
    EXPECT_FALSE(fs::exists(data()));
  };
  refuse(":", "-", "standard input is empty");
  refuse("echo a", "- " + lines() + " -", "stands there twice");
  refuse("{ cat \"$1\"; echo '{\"x'; }", "-", "standard input: line 201: not JSON");
  refuse("echo '{\"body\": \"b\"}'", "-", "keys with text: body");
  refuse("printf 'caf\\351'", "-", "standard input: line 1: byte 3");
  for (const char* suffix : {"gz", "xz", "zst"}) {
    refuse("head -c 200 \"$1." + std::string(suffix) + "\"", "-", "cut short");
  }
}

TEST_F(StandardInputTest, ATerminalIsRefusedAndNotWaitedFor) {
  if (!fs::exists("/usr/bin/script")) GTEST_SKIP() << "no script(1) to make a terminal with";
  const ProgramResult result = run_program(
      {"/usr/bin/script", "-qec",
       program_path("scalelaw-data").string() + " build - --name x --data " + data(), "/dev/null"});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("is a terminal"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace scalelaw
