// How often a store's predictions held.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/fitting/distributions.h"
#include "tests/analysis/score_fixture.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

using PredictionCoverageTest = ScoreTest;

Score scored(const std::vector<std::tuple<double, double, CellScore>>& cells) {
  Score score;
  for (const auto& [n, loss, outcome] : cells) {
    ScoredCell cell;
    cell.predicted.arm = "a";
    cell.predicted.n = n;
    cell.predicted.loss = 3;
    cell.predicted.beyond = n > 1e6 ? 2 : 1;
    cell.loss = loss;
    cell.score = outcome;
    score.cells.push_back(cell);
  }
  return score;
}

TEST_F(PredictionCoverageTest, OfRunsThatShareAPredictionTheFirstCounts) {
  const PredictionCoverage all =
      coverage_of({scored({{1e6, 3.1, CellScore::kInside},
                           {1e6, 3.3, CellScore::kOutside},
                           {2e6, 3.6, CellScore::kOutside},
                           {4e6, 3.0, CellScore::kNotComplete}}),
                   scored({{1e6, 3.0, CellScore::kInside}, {8e6, 3.0, CellScore::kBegunBefore}})});
  EXPECT_EQ(all.predictions, 3);
  EXPECT_EQ(all.inside, 2);
  EXPECT_EQ(all.runs, 4);
  EXPECT_EQ(all.runs_inside, 2);
  EXPECT_EQ(all.extrapolated, 1);
  EXPECT_NEAR(all.worst, std::log(1.2), 1e-12);
}

TEST_F(PredictionCoverageTest, TheShareHasItsExactInterval) {
  // Clopper & Pearson 1934 at 95%: 8 of 10, and all or none of 10.
  EXPECT_NEAR(exact_share_interval(8, 10).low, 0.4439045, 1e-6);
  EXPECT_NEAR(exact_share_interval(8, 10).high, 0.9747893, 1e-6);
  EXPECT_NEAR(exact_share_interval(10, 10).low, 0.6915029, 1e-6);
  EXPECT_EQ(exact_share_interval(10, 10).high, 1);
  EXPECT_EQ(exact_share_interval(0, 10).low, 0);
}

TEST_F(PredictionCoverageTest, OfAStoreIsOfAllItsPredictions) {
  EXPECT_THROW(score_predictions(runs_, {}), ConfigError) << "there is none";
  const std::vector<SyntheticRun> runs = ladder_with(1);
  const fs::path record = write(runs);
  const HeldOutPredictions found = registered(record);
  EXPECT_NE(page(runs_).find("No run that was predicted before it began has ended"),
            std::string::npos);
  const double loss = found.predictions[0].cells[0].loss;
  end(runs[7], loss);
  end(runs[8], 2 * loss);
  const std::string text = page(runs_);
  EXPECT_NE(text.find("1 of 1 predictions held: a share of 1.00 [0.03, 1.00] at 95%"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("Of all 2 runs 1 lie inside"), std::string::npos) << text;
  const ProgramResult json =
      run_program({"scalelaw-fit", "predict", runs_.string(), "--score", "--json"});
  EXPECT_EQ(nlohmann::json::parse(json.output)["coverage"]["runs_inside"], 1);
}

}  // namespace
}  // namespace scalelaw
