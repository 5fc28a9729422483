// Ladders, isoflops and laws, as they are planned.
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "sweeps/plan/reports.h"
#include "tests/sweeps/plan_fixture.h"

namespace scalelaw {
namespace {

// |C - budget| of every cell, and that each budget has its sizes.
TEST_F(PlanTest, IsoflopCellsMeetTheirBudgetWithinHalfAStep) {
  for (const char* count_name : {"exact_causal", "six_n", "exact_full"}) {
    options_.c_count = *c_count_from(count_name);
    const Plan of_sweep =
        plan(kBase +
             "arms: {a: {}, b: {model: {arch: lstm}}}\n"
             "blocks:\n"
             "  - name: flops\n"
             "    isoflop: {budgets: {from: 1e8, to: 1e10, per_decade: 2}, sizes: 5,\n"
             "              count: " +
             std::string(count_name) +
             ",\n"
             "              centre: '= 0.8 * budget^0.5', spacing: 1.5}\n"
             "    ladder: {width_multiple: 4}\n");
    EXPECT_EQ(of_sweep.asked_for, 2 * 5 * 5);
    std::map<double, int> cells_of;
    for (const PlannedCell& cell : of_sweep.cells) {
      ASSERT_TRUE(cell.budget);
      const double of_step = *cell.train_flops / static_cast<double>(cell.steps);
      EXPECT_LE(std::abs(*cell.train_flops - *cell.budget), of_step / 2 * (1 + 1e-9));
      ++cells_of[*cell.budget];
    }
    EXPECT_EQ(cells_of.size(), 5u);
  }
}

TEST_F(PlanTest, LaddersMissesAndMergedSizesAreWarnedOf) {
  const Plan of_sweep =
      plan(kBase + "blocks: [{name: b, ladder: {n: [3000, 3072, 3100, 12288]}}]\n");
  const std::string text = plan_text(of_sweep, look_at_all(of_sweep));
  EXPECT_NE(
      text.find("1 of 2 cells: the nearest model misses the ladder's size by more than 1%, by "
                "+2.4% at most"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("1 of 2 cells: several sizes of a ladder come to the same model"),
            std::string::npos);
  EXPECT_NE(text.find("2 pairs of neighbouring sizes are less than 10% apart"), std::string::npos);
}

TEST_F(PlanTest, TrialsAreNoNeighboursOfEachOther) {
  const auto warned = [&](const std::string& tune) {
    const Plan of_sweep = plan(kBase +
                               "blocks: [{name: a, model: {d_model: 96}}, {name: b, model: "
                               "{d_model: 100}}]\n" +
                               tune);
    return plan_text(of_sweep, look_at_all(of_sweep)).find("of neighbouring sizes") !=
           std::string::npos;
  };
  EXPECT_FALSE(warned(""));
  EXPECT_FALSE(warned("tune: {learning_rate: {factors: [0.5, 1, 2]}}\n"));
}

TEST_F(PlanTest, BudgetsThatFewStepsMeetBadlyAreWarnedOf) {
  const PlannedCell base = plan(kBase).cells.front();
  const auto warnings = [&](double steps) {
    const double flops = steps * *base.train_flops / static_cast<double>(base.steps);
    const Plan of_sweep =
        plan(kBase + "blocks: [{name: b, horizon: {flops: " + std::to_string(flops) + "}}]\n");
    return plan_text(of_sweep, look_at_all(of_sweep));
  };
  EXPECT_EQ(warnings(50.4).find("half a step"), std::string::npos);
  EXPECT_NE(warnings(49.4).find("1 of 1 cells: half a step is more than 1% of the FLOPs that were "
                                "asked for, up to 1.02%"),
            std::string::npos)
      << warnings(49.4);
}

TEST_F(PlanTest, KeysAtTheTopThatNoCellHasAreWarnedOf) {
  const Plan of_sweep =
      plan(kBase +
           "train.learning_rate: 0.5\n"
           "arms: {a: {train.learning_rate: 0.01}, b: {train.learning_rate: 0.02}}\n"
           "grid: {model.d_model: [16, 32]}\n");
  ASSERT_EQ(of_sweep.warnings.size(), 1u);
  EXPECT_NE(of_sweep.warnings[0].find("train.learning_rate = 0.5: has no effect: every cell has "
                                      "another value, of its arm or block"),
            std::string::npos)
      << of_sweep.warnings[0];
}

TEST_F(PlanTest, ALadderThatLeavesLayersAtTheirDefaultIsWarnedOf) {
  const std::string without_layers =
      "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\nhorizon: {tokens: 2000}\n"
      "model: {n_ctx: 8, n_head: 2}\ntrain: {batch_tokens: 32}\nevaluate: {tokens: 64}\n"
      "ladder: {n: 6144}\n";
  const Plan of_sweep = plan(without_layers);
  EXPECT_EQ(of_sweep.cells.front().shape.n_layer, 2);
  ASSERT_FALSE(of_sweep.warnings.empty());
  EXPECT_NE(of_sweep.warnings.front().find("leaves their layers at the default"), std::string::npos)
      << of_sweep.warnings.front();
}

TEST_F(PlanTest, LawsOutsideOfWhatTheyWereFittedOnAreWarnedOf) {
  const Plan of_sweep = plan(kBase + "train.learning_rate: '= step_law_lr(N, D)'\n");
  ASSERT_FALSE(of_sweep.warnings.empty());
  EXPECT_NE(of_sweep.warnings.back().find(
                "step_law_lr(N, D) (Li et al. 2025 (Step Law)) was fitted on N 60M to 1.1B "
                "(non_embedding), D 2B to 100B and is used outside of it, at N 3.07k to 3.07k"),
            std::string::npos)
      << of_sweep.warnings.back();
}

TEST_F(PlanTest, WhatALadderAndExpressionsCameToIsShown) {
  const std::string head =
      "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\nmodel: {n_ctx: 8, n_layer: 1}\n"
      "evaluate: {tokens: 64}\nhorizon: {tokens: 4096}\n";
  const Plan varied = plan(head +
                           "train: {batch_tokens: '= N > 5k ? 64 : 32'}\n"
                           "ladder: {n: [3k, 12k], d_head: 8, width_multiple: 8}\n");
  const std::string text = plan_text(varied, look_at_all(varied));
  for (const char* part : {"seeds   miss  batch  heads      N", "1/1    +2.4%     32  2 x 8  3.07k",
                           "1/1    +2.4%     64  4 x 8  12.3k",
                           "\nmiss: of N from the size that a ladder asked for\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  const auto cell = nlohmann::json::parse(plan_json(varied, look_at_all(varied))).at("cells").at(1);
  EXPECT_EQ(cell.at("batch_tokens"), 64);
  EXPECT_EQ(cell.at("n_head"), 4);
  EXPECT_EQ(cell.at("d_head"), 8);
  EXPECT_EQ(cell.at("d_ff"), 128);
  EXPECT_EQ(cell.at("asked_sizes").at(0).at("asked"), 12000);
  EXPECT_NEAR(cell.at("asked_sizes").at(0).at("miss_percent").get<double>(), 2.4, 1e-9);

  Plan wide = varied;
  wide.cells[0].places = {{"transformers", ""}};
  const std::string narrowed = plan_text(wide, look_at_all(wide));
  EXPECT_LE(narrowed.find('\n'), 120u);
  EXPECT_EQ(narrowed.find("2 x 8"), std::string::npos) << narrowed;
  EXPECT_NE(narrowed.find("heads: their number x features of each; left out for want of room"),
            std::string::npos)
      << narrowed;

  const Plan plain =
      plan(kBase + "grid: {model.d_model: [16, 32], train.batch_tokens: [32, 64]}\n");
  EXPECT_EQ(plan_text(plain, look_at_all(plain)).find("heads"), std::string::npos);
  EXPECT_EQ(plan_text(plain, look_at_all(plain)).find("  batch "), std::string::npos);
}

TEST_F(PlanTest, RatesAndHeadsThatAreASlipAreWarnedOf) {
  const auto warnings = [&](const std::string& more) {
    std::string text;
    for (const std::string& each :
         plan("spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\nevaluate: {tokens: 64}\n"
              "model: {n_ctx: 8, n_layer: 1}\nhorizon: {tokens: 4096}\n" +
              more)
             .warnings) {
      text += each + "\n";
    }
    return text;
  };
  const std::string of_rate = warnings("train: {batch_tokens: 32, learning_rate: 08}\n");
  EXPECT_NE(of_rate.find("1 of 1 cells: train.learning_rate is above 1, up to 8"),
            std::string::npos)
      << of_rate;
  EXPECT_EQ(warnings("train: {batch_tokens: 32, learning_rate: 1}\n").find("above 1"),
            std::string::npos);
  const std::string ladder = "train: {batch_tokens: 32}\nladder: {n: 5k, width_multiple: 2, ";
  const std::string of_heads = warnings(ladder + "d_head: 96}\n");
  EXPECT_NE(of_heads.find("ladder.d_head: of 96 asked for it is 20 at worst"), std::string::npos)
      << of_heads;
  EXPECT_EQ(warnings(ladder + "d_head: 8}\n").find("d_head"), std::string::npos);
}

TEST_F(PlanTest, FaultsOfAnIsoflopNameTheKeysThatTheFileHas) {
  const std::string head =
      "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\nmodel: {n_ctx: 8, n_head: 2}\n"
      "train: {batch_tokens: 32}\nevaluate: {tokens: 64}\n";
  const auto has = [&](const std::string& isoflop, const std::string& what) {
    const std::string said = error_of(head + "isoflop: {" + isoflop + "}\nladder: {aspect: 8}\n");
    EXPECT_NE(said.find("line 7 of s.yaml: " + what), std::string::npos) << said;
    EXPECT_EQ(said.find("horizon."), std::string::npos) << said;
    EXPECT_EQ(said.find("ladder.n ="), std::string::npos) << said;
  };
  has("budgets: [1e9], centre: = 0.05*bugdet^0.5",
      "isoflop.centre = 0.05*bugdet^0.5: character 7 behind the =: there is no bugdet");
  has("budgets: [1e9], centre: 1e4, count: matmul", "isoflop.count = matmul: must be six_n");
  has("budgets: [1e3], centre: 1e4", "isoflop.budgets = 1e3: no step meets it");
  has("budgets: [1e9], centre: 2", "isoflop.centre = 2: no model comes near");
}

std::string numbers(int last) {
  std::string text = "1";
  for (int i = 2; i <= last; ++i) text += ", " + std::to_string(i);
  return "[" + text + "]";
}

// Of seeds, whose cells are all alike, and of sizes, budgets, rates and laws.
TEST_F(PlanTest, TenThousandCellsTakeLessThanASecond) {
  const std::string plain =
      "blocks: [{name: b, seeds: {init: " + numbers(100) + ", data: " + numbers(100) + "}}]\n";
  const std::string worked_out =
      "arms: {a: {}, b: {model: {arch: lstm}}}\n"
      "train.learning_rate: '= 0.1 * step_law_lr(N, D)'\n"
      "blocks:\n"
      "  - name: b\n"
      "    isoflop: {budgets: {from: 1e8, to: 1e12, sizes: 25}, sizes: 20, spacing: 1.2,\n"
      "              centre: '= 0.3 * budget^0.5'}\n"
      "    ladder: {aspect: 24, width_multiple: 2, d_head: 8}\n"
      "    seeds: {init: [1, 2, 3, 4, 5], data: [1, 2]}\n";
  for (const std::string& blocks : {plain, worked_out}) {
    const std::clock_t start = std::clock();  // of this process: others may run beside
    const Plan planned = plan(kBase + blocks);
    const std::string text = plan_text(planned, look_at_all(planned));
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    EXPECT_EQ(planned.asked_for, 10'000);
    EXPECT_GT(planned.cells.size(), 5'000u);
    std::set<std::string> folders;
    for (const PlannedCell& cell : planned.cells) folders.insert(cell.folder);
    EXPECT_EQ(folders.size(), planned.cells.size());
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
    EXPECT_LT(seconds, 1.0);
#endif
    RecordProperty("seconds", std::to_string(seconds));
  }
}

}  // namespace
}  // namespace scalelaw
