#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "tests/sweeps/plan_fixture.h"
#include "trainer/atomic_file.h"
#include "trainer/fit_file.h"

namespace scalelaw {
namespace {

const FitOrigin kFrom = {"s", "chinchilla", "2026-01-31T12:00:00Z", {}};

class FitFilesTest : public PlanTest {
 protected:
  FitFilesTest() { write({n_opt()}); }

  static FittedLaw n_opt() {
    return {.quantity = FittedQuantity::kNOpt,
            .variable = FitVariable::kCompute,
            .coefficient = .125,
            .exponent = .5,
            .n_count = NCount::kNonEmbeddingPlusHead,
            .c_count = CCount::kSixNPlusHead,
            .low = 1e8,
            .high = 1e9,
            .from = kFrom};
  }
  static FittedLaw batch(FitVariable variable) {
    FittedLaw law{.quantity = FittedQuantity::kCriticalBatch,
                  .variable = variable,
                  .coefficient = .004,
                  .exponent = 1,
                  .low = 1e3,
                  .high = 1e6,
                  .from = kFrom};
    if (variable == FitVariable::kSize) law.n_count = NCount::kTotal;
    if (variable == FitVariable::kLoss) law.low = law.high = 2, law.coefficient = 100;
    return law;
  }
  void write(const std::vector<FittedLaw>& laws) const {
    write_fit_file(temp_.path() / "fit.json", {.laws = laws});
  }
  // Beside the fit.
  SweepSpec spec(const std::string& yaml, const std::vector<std::string>& settings = {}) const {
    std::ofstream(temp_.path() / "s.yaml") << yaml;
    return read_sweep_spec(temp_.path() / "s.yaml", settings);
  }
  std::string error_of(const std::string& yaml,
                       const std::vector<std::string>& settings = {}) const {
    try {
      spec(yaml, settings);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  std::vector<std::string> warnings(const std::string& yaml) const {
    return make_plan(spec(yaml), options_).warnings;
  }

  static std::string without_a_width() {
    std::string text = kBase;
    return text.replace(text.find(", d_model: 16"), std::string(", d_model: 16").size(), "");
  }

  const std::string kSizeless = without_a_width();
  const std::string kHead = "spec: 1\nname: s\n";
  const std::string kCentre = "isoflop: {budgets: 4e8, sizes: 1, centre: {fit: fit.json}}\n";
};

bool says(const std::vector<std::string>& texts, const std::string& what) {
  return std::ranges::any_of(
      texts, [&](const std::string& t) { return t.find(what) != std::string::npos; });
}

TEST_F(FitFilesTest, ACentreOfAFitCountsAsItDoes) {
  const std::vector<SweepPoint> points = expand(spec(kHead + kCentre));
  ASSERT_EQ(points.size(), 1u);
  const FlatConfig& cell = points[0].config;
  EXPECT_EQ(cell.at("ladder.n").text, "= 0.125 * budget^0.5");
  EXPECT_EQ(cell.at("ladder.count").text, "non_embedding_plus_head");
  EXPECT_EQ(cell.at("horizon.count").text, "six_n_plus_head");
  const SweepSpec agreeing = spec(kHead +
                                  "blocks: [{name: b, isoflop: {budgets: 4e8, count: "
                                  "six_n_plus_head, centre: {fit: fit.json}}, "
                                  "ladder: {count: non_embedding_plus_head}}]\n");
  EXPECT_EQ(expand(agreeing).size(), 7u);
}

TEST_F(FitFilesTest, CountsThatContradictTheFitAreRefused) {
  EXPECT_NE(error_of(kHead + "isoflop: {budgets: 4e8, count: exact_causal, centre: {fit: "
                             "fit.json}}\n")
                .find("isoflop.count = exact_causal: contradicts the fit fit.json, which counts "
                      "six_n_plus_head"),
            std::string::npos);
  const std::string of_n = "ladder.count = total: contradicts the fit";
  EXPECT_NE(error_of(kHead + kCentre + "ladder: {count: total}\n").find(of_n), std::string::npos);
  EXPECT_NE(error_of(kHead + kCentre + "arms: {a: {ladder: {count: total}}}\n").find(of_n),
            std::string::npos);
  EXPECT_NE(error_of(kHead + kCentre, {"ladder.count=total"}).find(of_n), std::string::npos);
  EXPECT_NE(error_of(kHead + kCentre + "grid: {ladder.count: [total, non_embedding]}\n")
                .find("the block sweeps ladder.count"),
            std::string::npos);
  EXPECT_NE(error_of(kHead + kCentre + "grid: {ladder.n: [1e4, 2e4]}\n")
                .find("ladder.n is set beside it"),
            std::string::npos);
}

TEST_F(FitFilesTest, ABudgetCountThatContradictsTheFitIsRefusedWhereverItStands) {
  const std::string of_c =
      "horizon.count = exact_causal: contradicts the fit fit.json, which "
      "counts six_n_plus_head";
  EXPECT_NE(error_of(kHead + kCentre + "horizon: {count: exact_causal}\n").find(of_c),
            std::string::npos);
  EXPECT_NE(error_of(kHead + kCentre + "arms: {a: {horizon: {count: exact_causal}}}\n").find(of_c),
            std::string::npos);
  EXPECT_NE(
      error_of(kHead + kCentre, {"horizon.count=exact_causal", "horizon.flops=1e9"}).find(of_c),
      std::string::npos);
  EXPECT_EQ(error_of(kHead +
                     "horizon: {flops: 1e9, count: exact_causal}\nblocks:\n- {name: a}\n"
                     "- {name: b, " +
                     kCentre.substr(0, kCentre.size() - 1) + "}\n"),
            "")
      << "another block's horizon";
}

TEST_F(FitFilesTest, AFitOfManyRunsIsRead) {
  FittedLaw law = n_opt();
  law.from.runs.assign(50'000, std::string(32, 'a'));
  write({law});
  EXPECT_EQ(error_of(kHead + kCentre), "");
}

TEST_F(FitFilesTest, TheFitIsPartOfWhatTheSweepIs) {
  const std::string before = spec(kHead + kCentre).content_hash;
  EXPECT_EQ(spec(kHead + kCentre).content_hash, before);
  FittedLaw other = n_opt();
  other.exponent = .6;
  write({other});
  EXPECT_NE(spec(kHead + kCentre).content_hash, before);
}

TEST_F(FitFilesTest, AFileThatIsNoneIsRefusedWithItsPlace) {
  const auto fault = [&](const std::string& content) {
    std::ofstream(temp_.path() / "fit.json") << content;
    return error_of(kHead + kCentre);
  };
  const std::string damaged = fault("{\"version\": 1}");
  EXPECT_NE(damaged.find("s.yaml: isoflop.centre.fit = fit.json: "), std::string::npos) << damaged;
  EXPECT_NE(damaged.find("laws is missing"), std::string::npos) << damaged;
  EXPECT_NE(fault("").find("isoflop.centre.fit"), std::string::npos);
  write({batch(FitVariable::kTokens)});
  EXPECT_NE(error_of(kHead + kCentre).find("holds no n_opt; `scalelaw fit RUNS --law chinchilla"),
            std::string::npos);
  EXPECT_NE(
      error_of(kHead + "isoflop: {budgets: 4e8, centre: {fit: none.json}}\n").find("none.json"),
      std::string::npos);
  EXPECT_NE(error_of(kHead + "isoflop: {budgets: 4e8, centre: {fit: fit.json, law: kaplan}}\n")
                .find("takes one of"),
            std::string::npos);
  EXPECT_NE(error_of(kHead + "critical_batch: {law: kaplan}\n").find("unknown key"),
            std::string::npos);
  EXPECT_THROW(parse_sweep_spec(kHead + kCentre, "s.yaml"), ConfigError) << "of no folder";
}

TEST_F(FitFilesTest, BudgetsBeyondTheFitAreWarnedOf) {
  const std::string inside =
      kSizeless + "isoflop: {budgets: [2e8], sizes: 2, centre: {fit: fit.json}}\n";
  EXPECT_FALSE(says(warnings(inside), "the budget lies outside"));
  const std::string outside =
      kSizeless + "isoflop: {budgets: [2e8, 4e9], sizes: 2, centre: {fit: fit.json}}\n";
  EXPECT_TRUE(says(warnings(outside),
                   "2 of 4 cells: the budget lies outside of what n_opt of fit.json was fitted "
                   "over (100M to 1B), up to 4 times beyond"))
      << testing::PrintToString(warnings(outside));
}

TEST_F(FitFilesTest, ABudgetAThousandTimesBeyondTheFitIsRefused) {
  const auto planned = [&](const std::string& budget) -> std::string {
    try {
      warnings(kSizeless + "isoflop: {budgets: [" + budget +
               "], sizes: 2, centre: {fit: fit.json}}\n");
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(planned("1e11"), "");
  EXPECT_NE(
      planned("2e12").find("isoflop.centre.fit = fit.json: the budget of 2e12 "
                           "FLOPs is 2k times beyond what n_opt was fitted over (100M to 1B)"),
      std::string::npos)
      << planned("2e12");
}

TEST_F(FitFilesTest, SizesAndTokensBeyondTheRunsOfTheFitAreWarnedOf) {
  const std::string sweep =
      kSizeless + "isoflop: {budgets: [2e8], sizes: 2, centre: {fit: fit.json}}\n";
  FittedLaw law = n_opt();
  law.n_range = {10, 1e6};
  law.d_range = {10, 1e9};
  write({law});
  EXPECT_FALSE(says(warnings(sweep), "lies outside"));
  law.n_range = {1e5, 1e6};
  law.d_range = {10, 100};
  write({law});
  EXPECT_TRUE(says(warnings(sweep),
                   "2 of 2 cells: N lies outside of what n_opt of fit.json was "
                   "fitted over (100k to 1M), up to "))
      << testing::PrintToString(warnings(sweep));
  EXPECT_TRUE(says(warnings(sweep), "2 of 2 cells: D lies outside of what n_opt of fit.json"));
}

TEST_F(FitFilesTest, ThePlanShowsHowWellTheBestSizeIsKnown) {
  const std::string sweep =
      kSizeless + "isoflop: {budgets: [2e8], sizes: 2, centre: {fit: fit.json}}\n";
  FittedLaw law = n_opt();
  EXPECT_NE(centres_text(make_plan(spec(sweep), options_).centres)
                .find("N*:      1.77k, how well known is not, at 200M FLOPs by fit.json; sizes "),
            std::string::npos);
  law.interval = FitInterval{.95, 2e8, .1, .05};
  write({law});
  const Plan known = make_plan(spec(sweep), options_);
  ASSERT_EQ(known.centres.size(), 1u);
  const FittedCentre& centre = known.centres[0];
  EXPECT_NEAR(centre.interval->high / centre.n, std::exp(.1), 1e-12);
  const double smallest = *size_by(law, known.cells[0].shape);
  const double largest = *size_by(law, known.cells[1].shape);
  EXPECT_EQ(centre.sizes, (FitRange{std::min(smallest, largest), std::max(smallest, largest)}));
  EXPECT_TRUE(centres_text(known.centres)
                  .starts_with("N*:      1.77k [1.6k, 1.95k], 95%, at 200M FLOPs by fit.json; "))
      << centres_text(known.centres);
  EXPECT_FALSE(says(known.warnings, "known less well"));
  law.interval->ln_reach = 3;
  write({law});
  EXPECT_TRUE(says(warnings(sweep),
                   "1 of 1 budgets: N* is known less well by fit.json than the "
                   "sizes about it reach: 88 to 35.5k at 200M FLOPs"))
      << testing::PrintToString(warnings(sweep));
}

// 2016 tokens, rounded up to whole batches: a critical batch of 8.
TEST_F(FitFilesTest, BatchesAboveTheCriticalOneAreWarnedOf) {
  write({batch(FitVariable::kTokens)});
  const std::string sweep =
      kBase + "critical_batch: {fit: fit.json}\ngrid: {train.batch_tokens: [8, 32]}\n";
  EXPECT_TRUE(says(warnings(sweep),
                   "1 of 2 cells: the batch is above the critical one (fit.json), "
                   "up to 3.97 times"))
      << testing::PrintToString(warnings(sweep));
  EXPECT_FALSE(says(warnings(sweep), "lies outside"));
  FittedLaw of_n = batch(FitVariable::kSize);
  of_n.low = of_n.high = 1e6;
  of_n.coefficient = 1;
  write({of_n});
  EXPECT_TRUE(says(warnings(sweep), "2 of 2 cells: N lies outside of what critical_batch of"));
  EXPECT_FALSE(says(warnings(sweep), "above the critical one")) << "N exceeds every batch";
  write({batch(FitVariable::kLoss)});
  EXPECT_NE(error_of(sweep).find("of the loss L, which is not known before a run has ended"),
            std::string::npos);
}

}  // namespace
}  // namespace scalelaw
