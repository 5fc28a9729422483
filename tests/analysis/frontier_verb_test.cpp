// scalelaw frontier as a user meets it: tables of runs, run folders, what bad input gets.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/frontier/frontier_table.h"
#include "tests/analysis/isoflop_grid.h"
#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

FrontierData read(const std::string& text, const TableReading& reading = {}) {
  Measurements table;
  add_csv(table, "t.csv", text);
  return frontier_from_table(std::move(table), reading);
}

std::string fault_of(const std::string& text, const TableReading& reading = {}) {
  try {
    read(text, reading);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(FrontierTable, TakesTheOtherOfDAndCFromSixND) {
  const FrontierData by_c = read("N,C,loss\n1e6,6e15,3\n");
  EXPECT_NEAR(by_c.points.front().d, 1e9, 1);
  const FrontierData by_d = read("params,tokens,loss\n1M,1e9,3\n");
  EXPECT_NEAR(by_d.points.front().c, 6e15, 1e6);
  EXPECT_EQ(by_d.c_words, "6 N D");
}

TEST(FrontierTable, LeavesOutWhatCannotBeUsedAndSaysWhy) {
  const FrontierData data =
      read("N,D,loss\n1e6,1e9,3\n1e6,1e9,3\n2e6,1e9,-1\n2e6,,3\n2e6,1e9,nan\n4e6,1e9,2.9\n");
  EXPECT_EQ(data.points.size(), 2u);
  ASSERT_EQ(data.left_out.size(), 4u);
  EXPECT_EQ(data.left_out[0].what, "t.csv, line 3");
  EXPECT_EQ(data.left_out[0].why, "the same as t.csv, line 2");
  EXPECT_EQ(data.left_out[1].why, "column loss (L) = -1: must be above 0");
  EXPECT_EQ(data.left_out[2].why, "column D: is missing");
}

TEST(FrontierTable, RowsOfARunAreItsCurveAndTheLastIsItsEnd) {
  const FrontierData data =
      read("run,N,D,loss\na,1e6,2e8,3\na,1e6,1e8,3.5\nb,2e6,1e8,3.4\na,1e6,3e8,2.9\n");
  ASSERT_EQ(data.points.size(), 2u);
  EXPECT_EQ(data.points.front().loss, 2.9);
  ASSERT_EQ(data.curves.size(), 1u);
  EXPECT_EQ(data.curves.front().d, (std::vector<double>{1e8, 2e8, 3e8}));
  EXPECT_NE(fault_of("run,N,D,loss\na,1e6,1e8,3\na,2e6,2e8,3\n").find("has another N"),
            std::string::npos);
}

TEST(FrontierTable, ReadsOtherUnitsSeparatorsAndQuotes) {
  const FrontierData data = read("N;\"the \"\"loss\"\"\";billions\r\n1e6;3;1\r\n",
                                 {.maps = {"loss=the \"loss\",D=billions*1e9"}});
  EXPECT_EQ(data.points.front().loss, 3);
  EXPECT_EQ(data.points.front().d, 1e9);
  EXPECT_EQ(data.d_words, "column billions times 1000000000");
}

TEST(FrontierTable, SaysWhichColumnOrRowIsNotWhole) {
  const FrontierData data = read("N,D,loss\n1e6,2e6\n1e6,2e6,3\n");
  ASSERT_EQ(data.left_out.size(), 1u);
  EXPECT_EQ(data.left_out[0].why, "has 2 cells where the header has 3");
  EXPECT_NE(fault_of("N,D,loss\n1e6,2e6,\"3\n").find("no row can be used"), std::string::npos);
  EXPECT_NE(fault_of("").find("is empty"), std::string::npos);
  EXPECT_NE(fault_of("a,b\n1,2\n").find("say which with --map N=COLUMN; there are a, b"),
            std::string::npos);
  EXPECT_NE(fault_of("N,tokns,loss\n1,2,3\n", {.maps = {"D=tokens"}}).find("did you mean tokns?"),
            std::string::npos);
  EXPECT_NE(fault_of("N,D,loss,seed\n1,2,3,1\n", {.run = "sed"})
                .find("--run-column sed: there is no such column; did you mean seed?"),
            std::string::npos);
}

TEST(FrontierTable, OptimaNeedAnErrorThatIsOne) {
  const FrontierData data = read("C,N_opt,n_star_std\n1e18,1e8,.1\n1e19,2e8,\n", {.optima = true});
  ASSERT_EQ(data.optima.size(), 1u);
  EXPECT_EQ(data.optima.front().error, .1);
  EXPECT_EQ(data.left_out.at(0).why, "column n_star_std is empty, no number above 0");
}

TEST(FrontierTable, RefusesMixedConventionsAndImpossibleUnits) {
  const std::string mixed = "n_count,N,D,loss\ntotal,1e6,1e9,3\nnon_embedding,1e6,1e8,3\n";
  EXPECT_NE(fault_of(mixed).find("choose with --where 'n_count == \"non_embedding\"'"),
            std::string::npos)
      << fault_of(mixed);
  EXPECT_EQ(read(mixed, {.where = "n_count == total"}).points.size(), 1u);
  EXPECT_NE(fault_of(mixed, {.where = "n_count == none"}).find("lets no row of 2 pass"),
            std::string::npos);
  EXPECT_NE(fault_of("N,D,C,loss\n70,1.4e12,5.9e23,2\n").find("is in another unit"),
            std::string::npos);
  EXPECT_NE(fault_of("N,C,loss\n70,5.9e18,2\n").find("is in another unit"), std::string::npos);
}

TEST(FrontierTable, RefusesAColumnNamedTwiceAndACurveWhoseComputeStands) {
  EXPECT_NE(fault_of("N,D,loss,loss\n1e6,1e9,3,9\n").find("column loss: is named twice"),
            std::string::npos);
  EXPECT_NE(fault_of("run,N,D,C,loss\na,1e6,1e9,6e15,3\na,1e6,2e9,6e15,2.9\n")
                .find("line 3: C is not above"),
            std::string::npos);
}

TEST(FrontierTable, ARunOfTheHighestLossesLosesItsCurveToo) {
  const FrontierData data = read(
      "run,N,D,loss\na,1e6,1e8,9\na,1e6,2e8,8\nb,2e6,1e8,4\nb,2e6,2e8,3\n", {.drop_highest = 1});
  ASSERT_EQ(data.curves.size(), 1u);
  EXPECT_EQ(data.curves.front().n, 2e6);
}

class FrontierProgram : public ::testing::Test {
 protected:
  std::string grid_csv(const GridDesign& design) {
    std::mt19937_64 random(4);
    const fs::path file = temp_.path() / "grid.csv";
    std::ofstream out(file);
    out.precision(12);
    out << "params,flops,loss\n";
    for (const FrontierPoint& p : draw_grid(design, random).points) {
      out << p.n << ',' << p.c << ',' << p.loss << '\n';
    }
    return file.string();
  }
  static ProgramResult frontier(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"scalelaw-fit", "frontier"});
    return run_program(arguments);
  }
  static ProgramResult refused(const std::vector<std::string>& arguments) {
    ProgramResult result = frontier(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    return result;
  }
  TempDir temp_;
};

TEST_F(FrontierProgram, ShowsEveryApproachBesideThePublished) {
  const std::string file = grid_csv({});
  const ProgramResult shown = frontier({file, "--bootstrap", "200"});
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  for (const char* words :
       {"1 envelope of loss curves | ", "no loss curves", "2 IsoFLOP, parabola", "2 IsoFLOP, Akima",
        "2 parabola, less its bias", "3 L(N, D), Huber in ln L", "variable projection in L",
        "Hoffmann et al. 2022, approach 2", "Besiroglu et al. 2024", "column params", "35 points",
        "none is picked", "C = 6.000 N D"}) {
    EXPECT_NE(shown.output.find(words), std::string::npos) << words << "\n" << shown.output;
  }
  const ProgramResult json = frontier({file, "--bootstrap", "200", "--at", "1e20,1e24", "--json"});
  ASSERT_EQ(json.exit_code, 0) << json.output;
  const auto read = nlohmann::json::parse(json.output);
  ASSERT_EQ(read.at("approaches").size(), 8u);
  for (const auto& approach : read.at("approaches")) {
    if (approach.at("approach") == "envelope") {
      EXPECT_EQ(approach.at("status"), "too_few_points");
      continue;
    }
    EXPECT_NEAR(approach.at("exponent").at("value").get<double>(), KnownSurface{}.exponent(), .08);
    ASSERT_EQ(approach.at("at").size(), 2u);
    EXPECT_FALSE(approach.at("at")[0].at("beyond").get<bool>());
    EXPECT_TRUE(approach.at("at")[1].at("beyond").get<bool>());
  }
}

TEST_F(FrontierProgram, WhatStandsEndsWithZeroAndWhatDoesNotWithTwo) {
  GridDesign one;
  one.budgets = {1e20};
  const ProgramResult single = frontier({grid_csv(one)});
  EXPECT_EQ(single.exit_code, 0) << single.output;
  EXPECT_NE(single.output.find("stands on these runs; minima of single budgets do"),
            std::string::npos)
      << single.output;
  EXPECT_NE(single.output.find("1 budget with a minimum inside its sizes"), std::string::npos);
  EXPECT_NE(single.output.find("all runs are of one budget"), std::string::npos);

  GridDesign edges;
  edges.first_centre = edges.last_centre = 60;
  edges.sizes = 4;
  const ProgramResult bounds = frontier({grid_csv(edges), "--bootstrap", "0"});
  EXPECT_EQ(bounds.exit_code, 0) << "L(N, D) stands: " << bounds.output;
  EXPECT_NE(bounds.output.find(": an edge"), std::string::npos) << bounds.output;
  EXPECT_NE(bounds.output.find("5 budgets left out: the lowest loss lies at the end"),
            std::string::npos)
      << bounds.output;

  std::string narrow = "N,C,loss\n", equal = narrow;
  for (int i = 0; i < 12; ++i) {
    const std::string c = "," + std::to_string(1 + i) + "e18,";
    narrow += "1." + std::to_string(100 + i) + "e8" + c + std::to_string(3 - .1 * i) + "\n";
    equal += std::to_string(1 + i % 5) + "e8" + c + "3\n";
  }
  const auto table_of = [&](const std::string& text) {
    const fs::path file = temp_.path() / "table.csv";
    std::ofstream(file) << text;
    return file.string();
  };
  EXPECT_NE(refused({table_of(narrow)}).output.find("needs sizes over a factor of 1.5"),
            std::string::npos);
  EXPECT_NE(refused({table_of(equal + "1e8,0,3\n")}).output.find("all runs have the same loss"),
            std::string::npos);
  EXPECT_NE(refused({table_of(equal + "1e8,0,3\n")}).output.find("left out: 1, first"),
            std::string::npos);

  one.first_centre = one.last_centre = 60;
  EXPECT_NE(refused({grid_csv(one)}).output.find("N* is at most"), std::string::npos);
  one.sizes = 2;
  EXPECT_NE(refused({grid_csv(one)}).output.find("L(N, D) needs 6 points, and there are 2"),
            std::string::npos);
}

TEST_F(FrontierProgram, RefusesBadOptions) {
  const std::string file = grid_csv({});
  const auto says = [&](std::vector<std::string> more, const std::string& words) {
    more.insert(more.begin(), file);
    const ProgramResult result = refused(more);
    EXPECT_NE(result.output.find(words), std::string::npos) << result.output;
  };
  says({"--n-count", "total"}, "--n-count: is of run folders");
  says({"--at", "1e20,x"}, "--at x: not a number above 0");
  says({"--tolerance", "-1"}, "--tolerance -1");
  says({"--same-size", "best"}, "--same-size best: it is mean or lowest");
  says({"--weights", "2"}, "--weights 2: it is equal or error");
  says({"--where", "flops"}, "--where");
  says({file}, "a table is read alone");
  EXPECT_NE(refused({(temp_.path() / "none.csv").string()}).output.find("is no file that is there"),
            std::string::npos);
}

TEST_F(FrontierProgram, ReadsRunFoldersByAnyCountOfCompute) {
  std::vector<SyntheticRun> runs;
  for (const int64_t width : {16, 24, 32, 48, 64}) {
    for (const int64_t steps : {300, 1000, 3000, 9000}) {
      SyntheticRun run;
      run.arm = "transformer";
      run.d_model = width;
      run.train_tokens = 1024 * steps;
      run.learning_rate = .08 / std::sqrt(static_cast<double>(width * steps));
      const double n = 24.0 * static_cast<double>(width * width);
      run.loss_nats = 1.2 + 8 * std::pow(n, -.3) +
                      90 * std::pow(static_cast<double>(run.train_tokens), -.35) +
                      .0005 * std::cos(static_cast<double>(7 * width + steps));
      runs.push_back(run);
    }
  }
  const fs::path record = write_synthetic_sweep(temp_.path() / "runs", "s", runs);
  const auto exponent = [&](const std::string& c_count) {
    const ProgramResult result =
        frontier({record.string(), "--bootstrap", "0", "--c-count", c_count, "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const auto read = nlohmann::json::parse(result.output);
    for (const auto& approach : read.at("approaches")) {
      if (approach.at("approach") == "surface_least_squares_ln") {
        return std::pair(approach.at("exponent").at("value").get<double>(),
                         read.at("compute").at("n_exponent").get<double>());
      }
    }
    return std::pair(0.0, 0.0);
  };
  const auto [six_n, power] = exponent("six_n");
  EXPECT_NEAR(power, 1, 1e-9);
  EXPECT_NEAR(six_n, .35 / .65, .05);
  const auto [exact, small] = exponent("exact_causal");
  EXPECT_LT(small, .95) << "attention and head weigh more at small widths";
  EXPECT_GT(exact, six_n) << "the same optimum over fewer decades of C";
  EXPECT_NE(refused({record.string(), "--c-count", "c"}).output.find("--c-count c: not a"),
            std::string::npos);
  EXPECT_NE(refused({record.string(), "--optima"}).output.find("--optima: is of a table"),
            std::string::npos);
  EXPECT_NE(refused({record.string(), "--arm", "x"}).output.find("--arm x: no run is of it"),
            std::string::npos);
}

}  // namespace
}  // namespace scalelaw
