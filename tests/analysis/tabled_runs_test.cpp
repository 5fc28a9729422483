// Other people's tables as compare, report and figures take them.
#include "analysis/measurements/tabled_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/study.h"
#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

struct Read {
  RunTable table;
  Selection selection;
};

Read read(const std::string& text, const TabledReading& reading = {}, Selection selection = {}) {
  Measurements measurements;
  add_csv(measurements, "t.csv", text);
  Read out{{}, selection};
  out.table = tabled_runs(std::move(measurements), reading, out.selection);
  return out;
}

Read selected(const std::string& text, const TabledReading& reading = {},
              const Selection& selection = {}) {
  Read out = read(text, reading, selection);
  select_runs(out.table, out.selection);
  return out;
}

template <class Function>
std::string fault_of(const Function& function) {
  try {
    function();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing was refused";
}

// Two arms on exact power laws of slopes .06 and .08, D = ratio N, or `d` for all.
std::string two_arms(double ratio, double d = 0) {
  std::string text = "arm,params,tokens,val_loss\n";
  for (const auto& [arm, slope] : {std::pair("base", 0.06), std::pair("new", 0.08)}) {
    for (int k = 0; k < 8; ++k) {
      const double n = 1e7 * std::pow(2, k);
      text += std::string(arm) + ',' + canonical(n) + ',' + canonical(d > 0 ? d : ratio * n) + ',' +
              canonical(4 * std::pow(n / 1e7, -slope) * (1 + 0.002 * ((k * 3) % 5 - 2))) + '\n';
    }
  }
  return text;
}

TEST(TabledRuns, AreRunsOfTheirArmsAtTheDOfMost) {
  const Read r = selected(
      "arm,params,tokens,seed,lr,loss\na,1e3,1e6,1,.1,3\na,1e3,1e6,2,.1,3.1\n"
      "b,2e3,1005000,1,.1,2.8\nb,4e3,2e6,1,.1,2.6\n");
  EXPECT_EQ(r.table.arms(), (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(r.table.rows.size(), 3u);  // 1,005,000 is 1M rounded otherwise
  EXPECT_EQ(r.table.rows[0].record.recipe_hash, r.table.rows[1].record.recipe_hash);
  EXPECT_EQ(r.table.rows[1].record.seed_init, 2);
  EXPECT_EQ(r.table.rows[2].n(NCount::kNonEmbedding), 2e3);
  EXPECT_EQ(r.table.rows[2].n(NCount::kTotal), 0) << "not told";
  EXPECT_DOUBLE_EQ(r.table.rows[0].training_flops(), 6e9);
  ASSERT_EQ(r.table.excluded.size(), 1u);
  EXPECT_NE(r.table.excluded[0].reason.find("trained on 2M"), std::string::npos);
  EXPECT_EQ(r.selection.horizon, "D = 1M tokens");
  EXPECT_EQ(r.selection.test_set, "loss");
}

TEST(TabledRuns, WhatNCountsIsSaidOrWarnedOf) {
  const auto warned = [](const Read& r) {
    for (const std::string& w : r.table.warnings) {
      if (w.find("what column params counts is not told") != std::string::npos) return true;
    }
    return false;
  };
  EXPECT_TRUE(warned(read("params,loss\n1e3,3\n")));
  EXPECT_FALSE(warned(read("params,loss\n1e3,3\n", {.maps = {"N=params"}})));
  Selection of_total;
  of_total.n_count = NCount::kTotal;
  const Read own = read("n_total,n_non_embedding,loss\n3e3,1e3,3\n", {}, of_total);
  EXPECT_TRUE(own.table.warnings.empty());
  EXPECT_EQ(own.table.rows[0].n(NCount::kTotal), 3e3);
  EXPECT_EQ(own.table.rows[0].n(NCount::kNonEmbedding), 1e3);
}

TEST(TabledRuns, LeaveOutWhatIsNoRunAndSayWhy) {
  const Read r = read(
      "arm,N,D,loss,seed\na,1e3,1e6,nan,1\na,1e3,1e6,-1,1\na,1e3,1e6,,1\n"
      "a,0.5,1e6,3,1\n,1e3,1e6,3,1\na,1e3,1e6,3,1\na,1000,1M,3.0,1\na,2e3,1e6,3,1\n",
      {.where = "N < 1500"});
  std::string reasons;
  for (const Exclusion& e : r.table.excluded) reasons += e.folder_name + ": " + e.reason + "\n";
  for (const char* said :
       {"line 2: column loss = nan: is no finite number", "line 3: column loss (L) = -1: must be",
        "line 4: column loss: is missing", "line 5: column N = 0.5: is a count",
        "line 6: column arm: is missing", "line 8: the same numbers as t.csv, line 7",
        "line 9: --where N < 1500"}) {
    EXPECT_NE(reasons.find(said), std::string::npos) << said << "\n" << reasons;
  }
  EXPECT_EQ(r.table.rows.size(), 1u);
}

TEST(TabledRuns, RowsOfOneRunAreItsCurve) {
  const Read r = read("run,N,D,loss\nx,1e3,2e6,3\nx,1e3,1e6,4\nx,1e3,5e5,5\ny,1e3,2e6,3.1\n");
  ASSERT_EQ(r.table.rows.size(), 2u);
  const RunRow& x = r.table.rows[0];
  EXPECT_EQ(x.d_tokens(), 2e6);
  EXPECT_EQ(x.loss("loss", LossMetric::kNatsPerToken), 3);
  ASSERT_EQ(x.tabled->curve.size(), 2u);
  EXPECT_EQ(x.tabled->curve[0].d_tokens, 5e5);
  EXPECT_EQ(x.tabled->curve[1].loss, 4);
  EXPECT_NE(fault_of([] {
              read("run,N,D,loss\nx,1e3,2e6,3\nx,2e3,1e6,4\n");
            }).find("t.csv, line 3: run x has another N in t.csv, line 2"),
            std::string::npos);
}

TEST(TabledRuns, MixedTokenizersAreRefusedUnlessInBitsPerByte) {
  const std::string text =
      "arm,N,D,loss,bits_per_byte,tokenizer\na,1e3,1e6,3,1.1,gpt2\na,2e3,1e6,2.9,1.0,llama\n";
  EXPECT_NE(fault_of([&] { selected(text); }).find("different tokenizers"), std::string::npos);
  Selection per_byte;
  per_byte.metric = LossMetric::kBitsPerByte;
  const Read bits = selected(text, {}, per_byte);
  EXPECT_EQ(bits.table.rows.size(), 2u);
  EXPECT_EQ(bits.table.rows[1].loss("bits_per_byte", LossMetric::kBitsPerByte), 1.0);
  EXPECT_NE(
      fault_of([&] { read("N,loss\n1e3,3\n", {}, per_byte); }).find("needs a column bits_per_byte"),
      std::string::npos);
}

TEST(TabledRuns, SeveralRatesOfASizeAreNoSeeds) {
  EXPECT_NE(fault_of([] {
              selected("N,D,lr,loss\n1e3,1e6,.1,3\n1e3,1e6,.2,2.9\n");
            }).find("several learning rates"),
            std::string::npos);
}

TEST(TabledRuns, AtTheirOwnDGiveTheSlopesAlongThatPath) {
  Read r = read(two_arms(20));
  LawOptions options;
  options.bootstrap_replicates = 0;
  options.selection = r.selection;
  EXPECT_NE(fault_of([&] { analyse_runs(r.table, options); }).find("--tokens own takes all runs"),
            std::string::npos);
  options.selection.own_tokens = true;
  const Study study = analyse_runs(r.table, options);
  ASSERT_EQ(study.comparisons.size(), 1u);
  EXPECT_NEAR(study.comparisons[0].difference, -0.02, 1e-9);
  EXPECT_NE(study.comparisons[0].verdict.find("at D of 20 tokens a parameter"), std::string::npos);
  const auto& remarks = study.comparisons[0].remarks;
  EXPECT_TRUE(std::ranges::any_of(remarks, [](const std::string& remark) {
    return remark.find("C is that of whole runs, as the table has it, else 6 N D, at D of 20") !=
           std::string::npos;
  }));
  EXPECT_TRUE(study.other_comparisons.empty()) << "the table has one count of N";
  Read mixed = read("N,D,loss\n1e3,1e6,3\n1e3,2e6,2.9\n2e3,1e6,2.8\n");
  mixed.selection.own_tokens = true;
  EXPECT_NE(fault_of([&] {
              select_runs(mixed.table, mixed.selection);
            }).find("has N = 1k at D = 1M (t.csv, line 2) and 2M (t.csv, line 3)"),
            std::string::npos);
}

TEST(TabledRuns, WithoutDTheLawSaysSo) {
  const Read r = selected("N,loss\n1e3,3\n2e3,2.9\n");
  EXPECT_EQ(r.selection.horizon, "a D that the table does not tell");
}

class TabledRunsVerb : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(temp_.path() / name) << text;
    return (temp_.path() / name).string();
  }
  static ProgramResult fit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "scalelaw-fit");
    return run_program(arguments);
  }
  TempDir temp_;
};

TEST_F(TabledRunsVerb, ReportsAreReadAgainWithTheSameNumbers) {
  const std::string out = (temp_.path() / "out").string();
  const auto shown =
      fit({"compare", file("t.csv", two_arms(0, 1e9)), "--bootstrap", "0", "--json"});
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  ASSERT_EQ(
      fit({"report", file("t.csv", two_arms(0, 1e9)), "--bootstrap", "0", "--out", out}).exit_code,
      0);
  const auto again = fit({"compare", out + "/runs.csv", "--bootstrap", "0", "--json"});
  ASSERT_EQ(again.exit_code, 0) << again.output;
  const auto difference = [](const std::string& text) {
    return nlohmann::json::parse(text.substr(text.find('{')))["comparisons"][0]["slope_difference"]
        .get<double>();
  };
  EXPECT_EQ(difference(shown.output), difference(again.output));
  EXPECT_TRUE(fs::exists(fs::path(out) / "report.html"));
}

TEST_F(TabledRunsVerb, RefusesFoldersBesideTablesAndFiltersEither) {
  const std::string sweep =
      write_synthetic_sweep(temp_.path() / "runs", "pilot", pilot_runs()).string();
  const auto both = fit({"compare", sweep, file("t.csv", two_arms(20))});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_NE(both.output.find("not set beside each other"), std::string::npos);
  const auto small = fit({"compare", sweep, "--bootstrap", "0", "--where", "N > 5000"});
  EXPECT_EQ(small.exit_code, 0) << small.output;
  EXPECT_NE(small.output.find("--where N > 5000"), std::string::npos) << small.output;
  const auto unknown = fit({"compare", sweep, "--where", "heads > 2"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.output.find("no such key; there are "), std::string::npos) << unknown.output;
}

}  // namespace
}  // namespace scalelaw
