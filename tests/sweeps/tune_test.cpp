// What a plan makes of `tune`, with results of trials that the test gives.
#include "sweeps/tuning/tune.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sweeps/plan/reports.h"
#include "sweeps/tuning/what_is_known.h"
#include "tests/sweeps/plan_fixture.h"

namespace scalelaw {
namespace {

const std::string kSizes = "grid: {model.d_model: [16, 32, 64, 128]}\n";
std::string tune(const std::string& more) {
  return "tune: {learning_rate: {factors: [0.5, 1, 2]" + (more.empty() ? "" : ", " + more) + "}}\n";
}

class Tuning : public PlanTest {
 protected:
  Tuning() {
    write_tiny_data_set(options_.data, {.val_tokens = 1024});
    losses_ = [this](const PlannedCell& cell) {
      const double best = best_ / static_cast<double>(cell.shape.d_model);
      return 2 + std::pow(std::log(cell.config.train.learning_rate / best), 2);
    };
  }
  // Of which every trial has ended, or the first `ended_`.
  Plan planned(const std::string& yaml) {
    asked_.clear();
    const TrialEnds ends = [&](const PlannedCell& trial) -> std::optional<TrialEnd> {
      if (asked_.insert(trial.content_hash).second && std::ssize(asked_) > ended_) {
        return std::nullopt;
      }
      if (left_out_.contains({trial.config.train.learning_rate, trial.config.seeds.init})) {
        return TrialEnd{.left_out = true};
      }
      return TrialEnd{false, trial.config.train.learning_rate > diverges_above_, losses_(trial)};
    };
    return make_plan(parse_sweep_spec(yaml, "s.yaml"), options_, ends);
  }
  static std::vector<double> rates(const Plan& plan, bool of_trials) {
    std::vector<double> all;
    for (const PlannedCell& cell : plan.cells) {
      if (cell.is_trial == of_trials) all.push_back(cell.config.train.learning_rate);
    }
    return all;
  }

  std::set<std::string> asked_;
  std::set<std::pair<double, int64_t>> left_out_;  // rate and seed
  int64_t ended_ = 1000;
  double best_ = 0.32, diverges_above_ = 1e9;
  std::function<double(const PlannedCell&)> losses_;
};

const std::string kRate = "train: {batch_tokens: 32, learning_rate: = 0.4 / d_model}\n";
const std::string kTuned =
    kBase.substr(0, kBase.find("\ntrain:") + 1) + kRate + "evaluate: {tokens: 64}\n";

TEST_F(Tuning, TrialsComeFirstAndTheirCellsWait) {
  ended_ = 0;
  const Plan plan = planned(kTuned + kSizes + tune("where: N <= 15k, then: fit_law"));
  ASSERT_EQ(plan.cells.size(), 2u * 3 + 4);
  EXPECT_EQ(rates(plan, true), (std::vector<double>{0.0125, 0.025, 0.05, 0.00625, 0.0125, 0.025}));
  for (const PlannedCell& cell : plan.cells) {
    EXPECT_EQ(cell.waits == WaitsFor::kNothing, cell.is_trial);
    if (!cell.is_trial) continue;
    EXPECT_EQ(cell.config.data.test, (std::map<std::string, int64_t>{{"tiny/val", 512}}));
    EXPECT_EQ(cell.config.seeds.init, 1001);
    EXPECT_EQ(cell.config.seeds.data, 1001);
  }
  EXPECT_EQ(record_of(plan).cells.size(), 6u) << "without what may become another cell";
  EXPECT_TRUE(record_of(plan).cells[0].is_trial);
  const std::vector<CellStatus> statuses = look_at_all(plan);
  EXPECT_EQ(count_states(statuses).at(CellState::kWaiting), 4);
  EXPECT_FALSE(may_start(statuses[6]));
}

TEST_F(Tuning, ScannedCellsTakeTheVertexAndTheOthersTheLaw) {
  const Plan plan = planned(kTuned + kSizes + tune("where: N <= 100k, then: fit_law"));
  EXPECT_EQ(waiting_cells(plan), 0);
  const std::vector<double> chosen = rates(plan, false);
  ASSERT_EQ(chosen.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(chosen[i], 0.32 / (16 << i), 0.01 * chosen[i]) << "width " << (16 << i);
  }
  ASSERT_EQ(plan.tuned.laws.size(), 1u);
  EXPECT_EQ(plan.tuned.laws[0].law->points, 3);
  EXPECT_NEAR(plan.tuned.laws[0].law->exponent_n.value(), 0, 0.01) << "the file's own law is right";
}

TEST_F(Tuning, WithoutALawTheOthersKeepTheFilesRateAndDoNotWait) {
  ended_ = 0;
  const Plan plan = planned(kTuned + kSizes + tune("where: N <= 3100"));
  EXPECT_EQ(waiting_cells(plan), 1);
  EXPECT_EQ(rates(plan, false), (std::vector<double>{0.025, 0.0125, 0.00625, 0.003125}));
}

TEST_F(Tuning, AnEdgeIsExtendedAsFarAsIsAllowed) {
  best_ = 3;  // 7.5 times the file's
  EXPECT_EQ(rates(planned(kTuned + tune("")), true).size(), 5u) << "two beyond";
  EXPECT_EQ(rates(planned(kTuned + tune("extend_at_edge: 0")), true).size(), 3u);
  ended_ = 3;
  const Plan next = planned(kTuned + tune(""));
  EXPECT_EQ(rates(next, true), (std::vector<double>{0.0125, 0.025, 0.05, 0.1}));
  EXPECT_EQ(waiting_cells(next), 1);
}

// .0231 x 4 is .0924 by a step beyond .0462, and .09238 by the unrounded .023094.
TEST_F(Tuning, AFactorThatAnEdgeAskedForIsTheSameRunOnceItIsWritten) {
  best_ = 30;
  const std::string awkward =
      "train: {batch_tokens: 32, learning_rate: = 0.092376 / sqrt(d_model)}\n";
  const std::string base =
      kBase.substr(0, kBase.find("\ntrain:") + 1) + awkward + "evaluate: {tokens: 64}\n";
  const Plan asked = planned(base + "tune: {learning_rate: {factors: [0.5, 1, 2]}}\n");
  const Plan written = planned(base + "tune: {learning_rate: {factors: [0.5, 1, 2, 4, 8]}}\n");
  ASSERT_EQ(rates(asked, true).size(), 5u);
  EXPECT_EQ(rates(asked, true)[3], 0.09238);
  std::set<std::string> hashes;
  for (const PlannedCell& cell : written.cells) hashes.insert(cell.content_hash);
  for (const PlannedCell& cell : asked.cells) {
    EXPECT_TRUE(!cell.is_trial || hashes.contains(cell.content_hash)) << cell.folder;
  }
}

TEST_F(Tuning, AnEdgeIsTakenAndToldButNoLawIsMadeOfIt) {
  best_ = 30;
  const Plan plan = planned(kTuned + kSizes + tune("where: N <= 3100, then: fit_law"));
  EXPECT_DOUBLE_EQ(rates(plan, false)[0], 0.2);
  EXPECT_EQ(waiting_cells(plan), 3);
  EXPECT_EQ(plan.cells.back().waits, WaitsFor::kHand);
  EXPECT_NE(look_at_all(plan).back().why.find("raise extend_at_edge"), std::string::npos);
  EXPECT_NE(plan.warnings.back().find("1 of 1 scans of the learning rate have their best at an "
                                      "edge (transformer 1 x 16: 0.2, the highest of 5)"),
            std::string::npos)
      << plan.warnings.back();
}

TEST_F(Tuning, WhereAllDivergeAHandIsNeeded) {
  diverges_above_ = 0;
  const Plan plan = planned(kTuned + tune(""));
  EXPECT_EQ(waiting_cells(plan), 1);
  EXPECT_EQ(plan.cells.back().waits, WaitsFor::kHand);
  EXPECT_NE(plan.cells.back().waits_for.find("every one tried diverged"), std::string::npos);
}

TEST_F(Tuning, SeedsShareAScanAndTrialsHaveTheirOwn) {
  const Plan plan = planned(kTuned + "seeds: {init: [1, 2, 3]}\n" + tune("seeds: [7, 8]"));
  EXPECT_EQ(plan.tuned.scans.size(), 1u);
  EXPECT_EQ(rates(plan, true).size(), 6u);
  EXPECT_EQ(rates(plan, false).size(), 3u);
  EXPECT_EQ(plan.tuned.scans[0].trials, 6);
}

TEST_F(Tuning, ArmsHaveLawsOfTheirOwnAndEqualBudgetsOrAreTold) {
  losses_ = [](const PlannedCell& cell) {
    const double best = (cell.shape.arch == "lstm" ? 0.2 : 0.5) / 16;
    return 2 + std::pow(std::log(cell.config.train.learning_rate / best), 2);
  };
  const std::string arms = "arms: {a: {}, b: {model: {arch: lstm}}}\n";
  const Plan plan = planned(kTuned + arms + tune("then: fit_law"));
  ASSERT_EQ(plan.tuned.laws.size(), 2u);
  EXPECT_NEAR(plan.tuned.laws[0].law->factor, 0.5 / 0.4, 0.01);
  EXPECT_NEAR(plan.tuned.laws[1].law->factor, 0.2 / 0.4, 0.01);
  const Plan unequal = planned(kTuned + arms + kSizes + tune("where: N <= 2100"));
  EXPECT_EQ(unequal.warnings.back(),
            "arms are tuned unequally: 0 trials of a, 4 of b; what is tuned more looks better");
}

TEST_F(Tuning, WithoutAValSplitTheTestTextIsReadAndThatIsTold) {
  write_tiny_data_set(options_.data);
  const Plan plan = planned(kTuned + tune(""));
  EXPECT_EQ(plan.cells[0].config.data.test, (std::map<std::string, int64_t>{{"tiny", 512}}));
  EXPECT_NE(plan.warnings.back().find("rates are chosen on the test text"), std::string::npos);
}

TEST_F(Tuning, ThePlanShowsTrialsAndLaws) {
  const Plan plan = planned(kTuned + kSizes + tune("where: N <= 100k, then: fit_law"));
  const std::string text = plan_text(plan, look_at_all(plan));
  EXPECT_NE(text.find("tuned:   train.learning_rate: 9 of 9 trials have ended, of 3 recipes\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  law: the file's rate * 0.8"), std::string::npos) << text;
  EXPECT_NE(text.find("stages:  9 trials, then 4 cells\n"), std::string::npos) << text;
  ended_ = 0;
  const Plan first = planned(kTuned + kSizes + tune("where: N <= 100k, seeds: [7, 8]"));
  EXPECT_NE(plan_text(first, look_at_all(first))
                .find("stages:  18 trials (up to 12 more beyond edges, not in the totals), then"),
            std::string::npos)
      << plan_text(first, look_at_all(first));
  ended_ = 4;
  const Plan early = planned(kTuned + kSizes + tune("where: N <= 100k, then: fit_law"));
  EXPECT_NE(
      plan_text(early, look_at_all(early)).find("; 3 cells wait and may be others than shown"),
      std::string::npos)
      << plan_text(early, look_at_all(early));
}

TEST_F(Tuning, TheSameResultsGiveTheSameCells) {
  const std::string yaml = kTuned + kSizes + tune("where: N <= 100k, then: fit_law");
  const Plan one = planned(yaml), other = planned(yaml);
  EXPECT_TRUE(know_the_same(one, other));
  ended_ = 0;
  EXPECT_FALSE(know_the_same(one, planned(yaml)));
}

TEST_F(Tuning, AnExcludedTrialTakesItsRateOutOfTheScan) {
  best_ = 0.8;  // 0.05 at width 16
  left_out_ = {{0.05, 1001}};
  const Plan plan = planned(kTuned + tune("extend_at_edge: 0"));
  EXPECT_EQ(plan.tuned.scans[0].tried.size(), 2u);
  EXPECT_EQ(plan.cells.back().waits, WaitsFor::kHand);
  EXPECT_NE(plan.cells.back().waits_for.find("fewer than three are left"), std::string::npos);
}

TEST_F(Tuning, RatesAreComparedOverSeedsThatAllOfThemHave) {
  losses_ = [](const PlannedCell& cell) {  // the second seed is far off
    const double loss = 2 + std::pow(std::log(cell.config.train.learning_rate / 0.05), 2);
    return loss + (cell.config.seeds.init == 1002 ? 5 : 0);
  };
  left_out_ = {{0.025, 1002}};
  const Plan plan = planned(kTuned + tune("seeds: [1001, 1002], extend_at_edge: 1"));
  for (const TriedRate& each : plan.tuned.scans[0].tried) EXPECT_LT(each.loss_nats, 5) << each.rate;
  EXPECT_NEAR(rates(plan, false)[0], 0.05, 1e-3);
}

TEST_F(Tuning, CellsThatMergeAreOneScan) {
  std::string text = kBase;
  text.insert(text.find("n_ctx: 8"), "arch: lstm, ");
  text +=
      "grid: {model.d_model: [16, 32], model.d_ff_ratio: [1, 2, 4]}\n" + tune("extend_at_edge: 0");
  const Plan plan = planned(text);
  EXPECT_EQ(plan.tuned.scans.size(), 2u) << "an LSTM has no d_ff";
  EXPECT_EQ(rates(plan, true).size(), 6u);
  EXPECT_EQ(plan.tuned.trials_of_arm.at(""), 6);
  EXPECT_EQ(rates(plan, false).size(), 2u);
  EXPECT_NE(plan_text(plan, look_at_all(plan)).find("merged:  4 cells equal another"),
            std::string::npos);
}

TEST_F(Tuning, CellsThatAreTestedOnOtherTextsAreOneScan) {
  write_tiny_data_set(options_.data, {.name = "other"});
  const Plan plan = planned(kTuned + "arms: {a: {}, b: {data: {test: {other: 512}}}}\n" + tune(""));
  EXPECT_EQ(plan.tuned.scans.size(), 1u);
  EXPECT_EQ(plan.tuned.scans[0].arms.size(), 2u);
  EXPECT_EQ(rates(plan, true).size(), 3u);
}

TEST_F(Tuning, ALawOfTooFewSizesIsToldBeforeItsTrials) {
  const std::string law = tune("where: N <= 3100 || N == 12288, then: fit_law");
  ended_ = 0;
  const Plan thin = planned(kTuned + kSizes + law);
  EXPECT_NE(thin.warnings.back().find("2 sizes are scanned, and a law of learning rates has an "
                                      "exponent of N from 3 on: cells up to 16 times as large"),
            std::string::npos)
      << thin.warnings.back();
  const Plan whole = planned(kTuned + kSizes + tune("where: N < 100k, then: fit_law"));
  for (const std::string& warning : whole.warnings) {
    EXPECT_EQ(warning.find("are scanned, and a law"), std::string::npos) << warning;
  }
}

TEST_F(Tuning, ALawOutsideOfItsScansIsTold) {
  const Plan plan = planned(kTuned + kSizes + tune("where: N <= 3100, then: fit_law"));
  EXPECT_EQ(plan.warnings.back(),
            "3 cells take the law of learning rates outside of its scans, up to 64 times beyond "
            "their N or D, and it has no exponent of N; scan a larger size to check it");
}

TEST_F(Tuning, WhatIsSweptIsNotTunedAway) {
  const std::string text =
      error_of(kBase + "grid: {train.learning_rate: [0.01, 0.02]}\n" + tune(""));
  EXPECT_NE(text.find("train.learning_rate = 0.02: is 0.01 of a cell that differs in nothing but "
                      "seeds"),
            std::string::npos)
      << text;
}

TEST_F(Tuning, WhatCannotBeTunedRightIsRefused) {
  const auto fault = [&](const std::string& text) { return error_of(kTuned + text); };
  EXPECT_NE(fault("seeds: {init: [1, 2]}\n" + tune("where: seeds.init == 1"))
                .find("tune.learning_rate.where = seeds.init == 1: holds of some cells only"),
            std::string::npos);
  EXPECT_NE(fault("seeds: {init: 1001}\n" + tune("")).find("one of them is a trial's"),
            std::string::npos);
  EXPECT_NE(fault(tune("where: N")).find("is a number, 3072, and no condition"), std::string::npos);
  EXPECT_NE(fault("grid: {model.n_layer: [0, 1]}\n" + tune("then: fit_law"))
                .find("without parameters by N"),
            std::string::npos);
  EXPECT_NE(error_of(kBase.substr(0, kBase.find("\ntrain:") + 1) +
                     "train: {batch_tokens: 32, optimizer: {weight_decay: = 0.001 / "
                     "learning_rate}}\nevaluate: {tokens: 64}\n" +
                     tune(""))
                .find("follows from the learning rate"),
            std::string::npos);
  EXPECT_NE(fault(kSizes + tune("") + "hold_out: {where: N > 100k, register: h}\n")
                .find("line 11 of s.yaml: hold_out.where = N > 100k: holds of a cell that "
                      "tune.learning_rate.where scans too"),
            std::string::npos)
      << fault(kSizes + tune("") + "hold_out: {where: N > 100k, register: h}\n");
}

TEST_F(Tuning, BadInputIsToldByLineAndKey) {
  const auto fault = [&](const std::string& text) { return error_of(kTuned + text); };
  EXPECT_EQ(fault("tune: {batch_tokens: {factors: [1, 2, 4]}}\n"),
            "line 9 of s.yaml: tune.batch_tokens: unknown key; there are learning_rate");
  EXPECT_EQ(fault("tune: {learning_rate: {where: N <= 1e6}}\n"),
            "line 9 of s.yaml: tune.learning_rate.factors: is missing; on the cell's own rate, as "
            "[0.5, 1, 2]");
  EXPECT_NE(fault("tune: {learning_rate: {factors: [1, 2]}}\n").find("needs three numbers or more"),
            std::string::npos);
  EXPECT_NE(fault("tune: {learning_rate: {factors: [1, 1, 2]}}\n").find("stands there twice"),
            std::string::npos);
  EXPECT_NE(fault("tune: {learning_rate: {factors: [0, 1, 2]}}\n").find("from 1e-6 to 1e6"),
            std::string::npos);
  EXPECT_NE(fault("tune: {learning_rate: 3}\n").find("must be a map of where, factors"),
            std::string::npos);
  EXPECT_NE(fault(tune("wher: N < 3")).find("did you mean where?"), std::string::npos);
  EXPECT_NE(fault(tune("where: = N < 3")).find("needs no ="), std::string::npos);
  EXPECT_NE(fault(tune("where: N < nn"))
                .find("tune.learning_rate.where = N < nn: character 5: there is no nn"),
            std::string::npos)
      << fault(tune("where: N < nn"));
  EXPECT_EQ(fault(tune("where: N > 1e9")),
            "line 9 of s.yaml: tune.learning_rate.where = N > 1e9: holds of none of the 1 cells; "
            "there is nothing to tune");
  EXPECT_NE(fault(tune("then: fit")).find("must be fit_law"), std::string::npos);
  EXPECT_NE(fault(tune("extend_at_edge: -1")).find("from 0 to 20"), std::string::npos);
  EXPECT_NE(fault(tune("seeds: []")).find("the list is empty"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
