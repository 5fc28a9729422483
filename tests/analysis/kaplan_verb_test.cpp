// scalelaw kaplan as a user types it: tables, run folders, what bad input gets.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/analysis/kaplan_curves.h"
#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class KaplanVerbTest : public testing::Test {
 protected:
  std::string table(const std::string& text) const {
    const fs::path file = temp_.path() / "curves.csv";
    std::ofstream(file) << text;
    return file.string();
  }
  std::string simulated() const {
    std::mt19937_64 random(11);
    std::string text = "run,N,S,batch,L\n";
    for (const TrainingCurve& curve : draw_curves({}, random).curves) {
      for (std::size_t i = 0; i < curve.step.size(); ++i) {
        text += curve.name + "," + std::to_string(curve.n) + "," + std::to_string(curve.step[i]) +
                "," + std::to_string(curve.batch) + "," + std::to_string(curve.loss[i]) + "\n";
      }
    }
    return table(text);
  }
  static ProgramResult kaplan(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"scalelaw-fit", "kaplan"});
    return run_program(arguments);
  }
  static std::string refused(const std::vector<std::string>& arguments) {
    const ProgramResult result = kaplan(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    return result.output;
  }
  TempDir temp_;
};

TEST_F(KaplanVerbTest, ShowsTheWholeChainBesideThePublished) {
  const std::string file = simulated();
  const ProgramResult shown = kaplan({file, "--b-crit", "kaplan", "--warmup", "3000", "--bootstrap",
                                      "120", "--data-law", "kaplan"});
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  for (const char* words :
       {"C = 6 N B S FLOPs", "8.64e19", "evaluations of the warm-up left out: 22",
        "naive, at B = 524k", "naive, Kaplan et al. 2020 | 0.057", "adjusted, C_min and S_min",
        "a_C/a_N", "predicted less fitted", "never reached", "taken as exact",
        "L(C_min) meets L(D(C_min))", "C_min, PF-days"}) {
    EXPECT_NE(shown.output.find(words), std::string::npos) << words << "\n" << shown.output;
  }
  const ProgramResult json =
      kaplan({file, "--b-crit", "kaplan", "--warmup", "3000", "--bootstrap", "120", "--json"});
  ASSERT_EQ(json.exit_code, 0) << json.output;
  const auto read = nlohmann::json::parse(json.output);
  EXPECT_NEAR(read.at("numbers").at("predicted_loss_exponent").at("value").get<double>(), .05245,
              5e-4);
  EXPECT_EQ(read.at("size_and_steps").at("status"), "converged");
  EXPECT_EQ(read.at("wrong_size").at(0).at("compute"), nullptr);
}

TEST_F(KaplanVerbTest, WithoutACriticalBatchTheNaiveLawStandsAlone) {
  const ProgramResult shown = kaplan({simulated(), "--warmup", "3000", "--bootstrap", "0"});
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_NE(shown.output.find("no law of B_crit was given (--b-crit)"), std::string::npos);
  EXPECT_NE(shown.output.find("L(N, S_min): cannot tell"), std::string::npos);
  EXPECT_NE(shown.output.find("naive, at B = 524k"), std::string::npos);
}

TEST_F(KaplanVerbTest, RefusesWhatIsNoSetOfCurves) {
  EXPECT_NE(refused({table("")}).find("curves.csv"), std::string::npos);
  EXPECT_NE(refused({table("run,N,S,batch,L\n")}).find("curves.csv"), std::string::npos);
  EXPECT_NE(refused({table("run,N,S,L\na,1e6,10,3\n")}).find("a column batch is needed"),
            std::string::npos);
  EXPECT_NE(refused({table("N,S,batch,L\n1e6,10,1e3,3\n")}).find("name it with --run-column"),
            std::string::npos);
  const std::string below = refused({table("run,N,S,batch,L\na,1e6,10,1e3,-3\na,1e6,20,1e3,-2\n")});
  EXPECT_NE(below.find("no row is left"), std::string::npos) << below;
  EXPECT_NE(below.find("must be above 0"), std::string::npos) << below;
  const std::string one = refused({table("run,N,S,batch,L\na,1e6,10,1e3,3\na,1e6,20,1e3,2\n")});
  EXPECT_NE(one.find("2 evaluations, and a curve takes 6"), std::string::npos) << one;
  const std::string file = simulated();
  EXPECT_NE(refused({file, "--b-crit", "2e8/L^"}).find("--b-crit"), std::string::npos);
  EXPECT_NE(refused({file, "--smooth", "1"}).find("not a factor above 1"), std::string::npos);
  EXPECT_NE(refused({file, "--warmup", "-1"}).find("not a number of steps"), std::string::npos);
  EXPECT_NE(refused({file, "--warmup", "1e9"}).find("after the warm-up"), std::string::npos);
  EXPECT_NE(refused({file, "--n-count", "total"}).find("is of run folders"), std::string::npos);
  EXPECT_NE(refused({temp_.path().string()}).find("no run"), std::string::npos);
}

TEST_F(KaplanVerbTest, ARunWhoseSizeChangesIsLeftOut) {
  const std::string file = simulated();
  std::ofstream(file, std::ios::app) << "odd,1e6,10,1e3,3\nodd,2e6,20,1e3,2.9\n";
  const ProgramResult shown = kaplan({file, "--warmup", "3000", "--bootstrap", "0"});
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_NE(shown.output.find("its N, batch or U changes"), std::string::npos) << shown.output;
}

TEST_F(KaplanVerbTest, RunFoldersGiveTheirCurves) {
  const std::string record =
      write_synthetic_sweep(temp_.path(), "sizes",
                            power_law_runs("transformer", 2.5, .1, .01, 6, 1, 3))
          .string();
  const ProgramResult shown = kaplan({record, "--bootstrap", "120"});
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_NE(shown.output.find("(non_embedding)"), std::string::npos) << shown.output;
  EXPECT_NE(shown.output.find("6 curves of 120 evaluations"), std::string::npos) << shown.output;
  EXPECT_NE(refused({record, "--warmup", "10"}).find("is of a table"), std::string::npos);
  EXPECT_NE(refused({record, simulated()}).find("not read together"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
