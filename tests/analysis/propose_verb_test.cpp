// scalelaw propose as a user types it: tables, run folders, the file, what bad input gets.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class ProposeVerbTest : public testing::Test {
 protected:
  std::string table(const std::string& text) const {
    const fs::path file = temp_.path() / "runs.csv";
    std::ofstream(file) << text;
    return file.string();
  }
  std::string ladder() const {
    return table(
        "arm,N,D,seed,loss\na,1e3,1e6,1,3\na,2e3,1e6,1,2.81\na,4e3,1e6,1,2.6\na,4e3,1e6,2,2.62\n"
        "a,8e3,1e6,1,2.45\nb,1e3,1e6,1,3.01\nb,2e3,1e6,1,2.78\nb,4e3,1e6,1,2.62\nb,8e3,1e6,1,2."
        "4\n");
  }
  std::string record() const {
    const fs::path runs = temp_.path() / "runs", file = runs / "sweeps" / "study.json";
    return (fs::exists(file) ? file : write_synthetic_sweep(runs, "study", pilot_runs())).string();
  }
  std::string file(const std::string& name) const { return (temp_.path() / name).string(); }
  static ProgramResult propose(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"scalelaw-fit", "propose"});
    return run_program(arguments);
  }
  static std::string refused(const std::vector<std::string>& arguments) {
    const ProgramResult result = propose(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    return result.output;
  }
  static std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  TempDir temp_;
};

TEST_F(ProposeVerbTest, TablesGetProposalsAndNoFile) {
  const std::string csv = ladder();
  const ProgramResult shown = propose({csv});
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  for (const char* words : {"What to run next; slopes and seeds at D = 1M tokens", "slope of a",
                            "gain per FLOP", "a size below the smallest"}) {
    EXPECT_NE(shown.output.find(words), std::string::npos) << words << "\n" << shown.output;
  }
  EXPECT_NE(refused({csv, "--out", file("next.yaml")}).find("has no settings"), std::string::npos);
  EXPECT_FALSE(fs::exists(file("next.yaml")));
}

TEST_F(ProposeVerbTest, JsonHoldsWhatIsShown) {
  const ProgramResult result = propose({record(), "--json", "--most", "4"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto read = nlohmann::json::parse(result.output);
  ASSERT_EQ(read.at("proposals").size(), 4u);
  double sum = 0;
  for (const auto& p : read.at("proposals")) {
    EXPECT_GT(p.at("model").at("d_model").get<int>(), 0);
    EXPECT_EQ(p.at("seeds").size(), p.at("runs").get<std::size_t>());
    sum += p.at("flops").get<double>();
  }
  EXPECT_NEAR(read.at("flops").get<double>(), sum, 1e-9 * sum);
  EXPECT_GT(read.at("left_out").get<int>(), 0);
}

TEST_F(ProposeVerbTest, AFileThatIsThereStays) {
  const std::string runs = record(), out = file("next.yaml");
  std::ofstream(out) << "mine";
  EXPECT_NE(refused({runs, "--out", out}).find("is there already and is not replaced"),
            std::string::npos);
  EXPECT_EQ(text_of(out), "mine");
  fs::remove(out);
  const ProgramResult written = propose({runs, "--out", out, "--most", "3"});
  ASSERT_EQ(written.exit_code, 0) << written.output;
  EXPECT_NE(text_of(out).find("name: next\n"), std::string::npos);
  EXPECT_NE(text_of(out).find("proposal_3_"), std::string::npos);
}

TEST_F(ProposeVerbTest, BadOptionsAreNamed) {
  const std::string csv = ladder();
  EXPECT_NE(refused({csv, "--flops", "-1"}).find("--flops -1"), std::string::npos);
  EXPECT_NE(refused({csv, "--flops", "much"}).find("not a number above 0"), std::string::npos);
  EXPECT_NE(refused({csv, "--most", "0"}).find("--most"), std::string::npos);
  EXPECT_NE(refused({csv, "--c-count", "x"}).find("--c-count x"), std::string::npos);
  EXPECT_NE(refused({csv, "--c-count", "six_n"}).find("is of run folders"), std::string::npos);
  EXPECT_NE(refused({record(), "--map", "N=x"}).find("--map"), std::string::npos);
  EXPECT_NE(refused({record(), "--out", file("next.json")}).find("ends in .yaml"),
            std::string::npos);
  EXPECT_NE(refused({record(), "--out", file("a b.yaml")}).find("letters, digits"),
            std::string::npos);
  EXPECT_NE(refused({record(), "--out", file("none/next.yaml")}).find("--out"), std::string::npos);
  EXPECT_NE(refused({file("gone.csv")}).find("gone.csv"), std::string::npos);
  EXPECT_NE(refused({table("N,loss\n")}).find("runs.csv"), std::string::npos);
  EXPECT_NE(refused({table("N,loss\n1e6,-3\n")}).find("must be above 0"), std::string::npos);
  EXPECT_NE(refused({record(), csv}).find("not set beside each other"), std::string::npos);
}

TEST_F(ProposeVerbTest, NothingToProposeIsAnAnswer) {
  // Losses exactly halved at each doubling: no scatter to narrow.
  const ProgramResult shown =
      propose({table("N,D,loss\n1024,1e6,8\n2048,1e6,4\n4096,1e6,2\n8192,1e6,1\n")});
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_NE(shown.output.find("Nothing to propose"), std::string::npos) << shown.output;
  EXPECT_NE(shown.output.find("its losses lie on the line exactly"), std::string::npos)
      << shown.output;
}

TEST_F(ProposeVerbTest, WhatWaitsForItsPredictionIsNotBegunHere) {
  std::vector<SyntheticRun> runs = power_law_runs("transformer", 2.5, .1, .02, 7, 1, 3);
  const fs::path store = temp_.path() / "held";
  SyntheticRun held = runs.back();
  runs.pop_back();
  const auto widths = [&](const std::string& record) {
    const ProgramResult result = propose({record, "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    std::vector<int64_t> all;
    const auto read = nlohmann::json::parse(result.output);
    for (const auto& p : read.at("proposals")) {
      if (!p.at("measured_size").get<bool>()) all.push_back(p.at("model").at("d_model"));
    }
    return all;
  };
  const std::string before = write_synthetic_sweep(store, "free", runs).string();
  // The held-out cell is just what would be proposed.
  const std::vector<int64_t> free = widths(before);
  const int64_t largest = runs.back().d_model;
  int64_t nearest = 0;
  for (const int64_t width : free) {
    if (width > largest && (nearest == 0 || width < nearest)) nearest = width;
  }
  ASSERT_GT(nearest, largest) << "a size above is proposed";
  held.d_model = nearest;
  held.prediction = "largest";
  held.started = held.complete = false;
  runs.push_back(held);
  fs::remove_all(store);
  const std::string record = write_synthetic_sweep(store, "study", runs).string();
  for (const int64_t width : widths(record)) EXPECT_NE(width, nearest);
  EXPECT_NE(propose({record}).output.find("Held out until their loss is predicted"),
            std::string::npos);
  for (const int64_t width : widths(store.string())) EXPECT_NE(width, nearest);
}

TEST_F(ProposeVerbTest, ADamagedConfigurationIsNamedAndNothingIsWritten) {
  const std::string runs = record(), out = file("next.yaml");
  for (const auto& folder : fs::directory_iterator(temp_.path() / "runs")) {
    if (fs::exists(folder.path() / "config.yaml")) {
      std::ofstream(folder.path() / "config.yaml") << "spec: 1\nmodel: {n_ctx: 8}\n";
    }
  }
  const std::string words = refused({runs, "--out", out});
  EXPECT_NE(words.find("config.yaml, line 2"), std::string::npos) << words;
  EXPECT_FALSE(fs::exists(out));
  EXPECT_EQ(propose({runs}).exit_code, 0);
}

}  // namespace
}  // namespace scalelaw
