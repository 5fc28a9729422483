// Kaplan's chain on curves whose law is known, step by step.
#include <gtest/gtest.h>

#include "analysis/kaplan/chain_numbers.h"
#include "tests/analysis/kaplan_curves.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

double value(const Chain& chain, ChainNumber which) {
  const ChainEstimate* found = chain.find(which);
  return found == nullptr ? std::nan("") : found->value;
}

Chain chain_of(const KaplanDesign& design, int replicates = 0, int threads = 1) {
  std::mt19937_64 random(7);
  ChainOptions options;
  options.bootstrap = {replicates, 1, threads};
  options.data_law = published_data_law();
  return find_chain(draw_curves(design, random), published_critical_batch(), options);
}

KaplanDesign without_noise() {
  KaplanDesign design;
  design.run_noise = design.evaluation_noise = 0;
  return design;
}

TEST(KaplanChain, PublishedConstantsPredictThePublishedExponents) {
  const EfficientExponents e = predicted_exponents(.076, .76, 1 / .21);
  EXPECT_NEAR(e.loss, .0520, 5e-5);
  EXPECT_NEAR(e.size, .684, 5e-4);
  EXPECT_NEAR(e.batch, .248, 5e-4);
  EXPECT_NEAR(e.steps, .068, 5e-4);
  EXPECT_NEAR(e.size + e.batch + e.steps, 1, 1e-12);
}

TEST(KaplanChain, AWrongSizeCostsWhatKaplanDraws) {
  EXPECT_NEAR(wrong_size_cost(.077, .76, 1).compute, 1, 1e-12);
  EXPECT_NEAR(wrong_size_cost(.077, .76, 2.2).compute, 1.20, .01);
  EXPECT_NEAR(wrong_size_cost(.077, .76, .6).compute, 1.17, .01);
  EXPECT_TRUE(std::isinf(wrong_size_cost(.077, .76, .1).compute));
  const SizeRange within = sizes_within(.077, .76, .2);
  EXPECT_NEAR(wrong_size_cost(.077, .76, within.low).compute, 1.2, 1e-9);
  EXPECT_NEAR(wrong_size_cost(.077, .76, within.high).compute, 1.2, 1e-9);
  // At one loss the best of all sizes is N* = 1, by search.
  for (double k = .5; k < 4; k *= 1.1) EXPECT_GE(wrong_size_cost(.077, .76, k).compute, 1 - 1e-12);
}

TEST(KaplanChain, AdjustedComputeIsThatOfTheLeastStepsAtTheCriticalBatch) {
  SmoothCurve curve;
  curve.n = 1e6;
  curve.batch = 5e5;
  curve.step = {1e3, 2e3};
  curve.loss = {4, 3.5};
  const CriticalBatch critical = published_critical_batch();
  for (const CurvePoint& p : adjust(curve, &critical).points) {
    const double b = critical.at(p.loss);
    EXPECT_NEAR(b, 2e8 / std::pow(p.loss, 1 / .21), 1e-3);
    EXPECT_NEAR(p.s_min, p.s / (1 + b / 5e5), 1e-9);
    EXPECT_NEAR(p.c_min / (p.c / (1 + 5e5 / b)), 1, 1e-12);
    EXPECT_NEAR(p.c_min / (6 * p.n * b * p.s_min), 1, 1e-12);
  }
}

TEST(KaplanChain, SmoothingLeavesTheWarmUpOutAndKeepsTheLaw) {
  const KaplanDesign design = without_noise();
  std::mt19937_64 random(1);
  const TrainingCurve curve = draw_curves(design, random).curves[5];
  const SmoothCurve smoothed = smooth(curve, 5, {});
  EXPECT_EQ(smoothed.in_warmup, 2);
  EXPECT_EQ(smoothed.evaluations, design.evaluations);
  ASSERT_GT(smoothed.step.size(), 20u);
  for (std::size_t i = 0; i < smoothed.step.size(); ++i) {
    EXPECT_NEAR(smoothed.loss[i] / design.truth.loss(curve.n, smoothed.step[i], curve.batch), 1,
                3e-4);
  }
}

TEST(KaplanChain, SmoothingTakesMostOfTheNoiseAndSaysHowMuchThereWas) {
  KaplanDesign design = without_noise();
  design.evaluation_noise = .02;
  std::mt19937_64 random(2);
  double squares = 0, scatter = 0, count = 0;
  for (const TrainingCurve& curve : draw_curves(design, random).curves) {
    const SmoothCurve smoothed = smooth(curve, 0, {});
    scatter += smoothed.noise / design.sizes;
    for (std::size_t i = 0; i < smoothed.step.size(); ++i, ++count) {
      squares += std::pow(
          std::log(smoothed.loss[i] / design.truth.loss(curve.n, smoothed.step[i], curve.batch)),
          2);
    }
  }
  EXPECT_NEAR(scatter, .02, .001);  // over 600 evaluations: one standard error is .0006
  EXPECT_LT(std::sqrt(squares / count), .5 * .02);
}

TEST(KaplanChain, WithoutNoiseTheConstantsAndTheExponentsComeBack) {
  const KaplanDesign design = without_noise();
  const Chain chain = chain_of(design);
  const EfficientExponents truth = design.truth.exponents();
  ASSERT_TRUE(chain.joint.stands()) << chain.joint.fit.why;
  EXPECT_NEAR(chain.joint.a_n, .077, 2e-4);
  EXPECT_NEAR(chain.joint.a_s, .76, .004);
  EXPECT_NEAR(value(chain, ChainNumber::kPredictedLoss), truth.loss, 2e-4);
  EXPECT_NEAR(value(chain, ChainNumber::kPredictedSize), truth.size, .002);
  // The envelope of sizes a factor 4 apart is a scalloped line.
  EXPECT_NEAR(value(chain, ChainNumber::kAdjustedLoss), truth.loss, 5e-4);
  EXPECT_NEAR(value(chain, ChainNumber::kAdjustedSize), truth.size, .02);
  EXPECT_NEAR(value(chain, ChainNumber::kAdjustedBatch), truth.batch, .005);
}

TEST(KaplanChain, AtOneBatchBothExponentsAreSteeper) {
  const Chain chain = chain_of(without_noise());
  ASSERT_TRUE(chain.naive.stands());
  EXPECT_GT(value(chain, ChainNumber::kNaiveLoss), value(chain, ChainNumber::kAdjustedLoss) + .003);
  EXPECT_GT(value(chain, ChainNumber::kNaiveSize), value(chain, ChainNumber::kAdjustedSize) + .04);
  // At a batch far above the critical one S_min is S: a = 1 / (1/a_N + 1/a_S), N* ~ C^(a/a_N).
  KaplanDesign large = without_noise();
  large.batch = 1e12;
  const Chain at_large = chain_of(large);
  const double a = 1 / (1 / .077 + 1 / .76);
  EXPECT_NEAR(value(at_large, ChainNumber::kNaiveLoss), a, 5e-4);
  EXPECT_NEAR(value(at_large, ChainNumber::kNaiveSize), a / .077, .02);
}

TEST(KaplanChain, IntervalsDoNotDependOnTheNumberOfThreads) {
  const KaplanDesign design;
  const Chain one = chain_of(design, 120, 1), three = chain_of(design, 120, 3);
  ASSERT_EQ(one.numbers.size(), kChainNumbers);
  for (const auto& [which, estimate] : one.numbers) {
    ASSERT_TRUE(estimate.interval) << name(which);
    EXPECT_EQ(estimate.interval->low, three.find(which)->interval->low) << name(which);
    EXPECT_EQ(estimate.interval->high, three.find(which)->interval->high) << name(which);
  }
}

TEST(KaplanChain, WhatLacksIsSaid) {
  KaplanDesign one_size;
  one_size.sizes = 1;
  std::mt19937_64 random(3);
  ChainOptions options;
  options.bootstrap.replicates = 0;
  const Chain one = find_chain(draw_curves(one_size, random), {}, options);
  EXPECT_FALSE(one.stands());
  EXPECT_NE(one.naive.why.find("0 are lowest at any budget"), std::string::npos) << one.naive.why;
  EXPECT_NE(one.no_critical.find("--b-crit"), std::string::npos);

  KaplanDesign in_warmup;
  in_warmup.warmup = 2e5;
  CurveData data = draw_curves(in_warmup, random);
  for (TrainingCurve& curve : data.curves) curve.warmup = 2.5e5;
  const Chain short_ones = find_chain(data, published_critical_batch(), options);
  EXPECT_FALSE(short_ones.stands());
  ASSERT_EQ(short_ones.left_out.size(), data.curves.size());
  EXPECT_NE(short_ones.left_out.front().why.find("evaluations after the warm-up"),
            std::string::npos);

  data = draw_curves({}, random);
  for (TrainingCurve& curve : data.curves) curve.unique = 1e8;
  EXPECT_NE(find_chain(data, {}, options).left_out.front().why.find("read more than once"),
            std::string::npos);
  const Chain rising = find_chain(draw_curves({}, random), CriticalBatch("1e3*L", ""), options);
  EXPECT_FALSE(rising.critical);
  EXPECT_NE(rising.no_critical.find("not a batch that falls with L"), std::string::npos);
  EXPECT_TRUE(rising.naive.stands());
}

TEST(KaplanChain, ACriticalBatchIsAFormulaOfTheLossAlone) {
  EXPECT_NEAR(CriticalBatch("batch = 2e8/L^5", "").at(2), 2e8 / 32, 1e-6);
  EXPECT_NEAR(CriticalBatch("2e8/L^5", "").inverse_exponent(2, 4), 5, 1e-12);
  for (const char* text : {"2e8/L^", "B/L^5", "", "2e8)/L", "N*L"}) {
    EXPECT_THROW(CriticalBatch(text, ""), ConfigError) << text;
  }
}

}  // namespace
}  // namespace scalelaw
