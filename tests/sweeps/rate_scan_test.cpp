// Which rate a scan finds best, what it tries next, and the law of several scans.
#include "sweeps/tuning/rate_scan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sweeps/tuning/rate_law.h"

namespace scalelaw {
namespace {

double parabola(double rate, double best) {
  return 3 + 0.2 * std::pow(std::log(rate / best), 2);
}

std::vector<TriedRate> scan(const std::vector<double>& rates, double best) {
  std::vector<TriedRate> tried;
  for (const double rate : rates) tried.push_back({rate, parabola(rate, best), false});
  return tried;
}

TEST(RateScan, TheVertexOfAParabolaInLnRateIsFound) {
  for (const double best : {0.008, 0.01, 0.0137, 0.02, 0.027}) {
    const auto tried = scan({0.005, 0.01, 0.02, 0.04}, best);
    EXPECT_EQ(choose_rate(tried).kind, BestRate::kInterior);
    EXPECT_NEAR(choose_rate(tried).rate, best, 0.002 * best);
    EXPECT_FALSE(rate_beyond(tried)) << "there is nothing beyond that it needs";
  }
}

TEST(RateScan, UnevenStepsDoNotMoveTheVertex) {
  EXPECT_NEAR(choose_rate(scan({0.005, 0.01, 0.08}, 0.013)).rate, 0.013, 1e-5);
}

TEST(RateScan, TheVertexLiesBetweenTheNeighboursOfTheBest) {
  const std::vector<TriedRate> flat = {{0.01, 3}, {0.02, 3}, {0.04, 3}};
  EXPECT_EQ(choose_rate(flat).kind, BestRate::kLowestEdge) << "of equal ones the first";
  const std::vector<TriedRate> nearly = {{0.01, 3.0 + 1e-15}, {0.02, 3}, {0.04, 9}};
  EXPECT_GE(choose_rate(nearly).rate, 0.01);
  EXPECT_LE(choose_rate(nearly).rate, 0.04);
}

TEST(RateScan, AnEdgeIsABoundAndAsksForMore) {
  const auto low = scan({0.01, 0.02, 0.04}, 0.003), high = scan({0.01, 0.02, 0.04}, 0.1);
  EXPECT_EQ(choose_rate(low).kind, BestRate::kLowestEdge);
  EXPECT_FALSE(choose_rate(low).is_optimum());
  EXPECT_DOUBLE_EQ(*rate_beyond(low), 0.005);
  EXPECT_EQ(choose_rate(high).kind, BestRate::kHighestEdge);
  EXPECT_DOUBLE_EQ(*rate_beyond(high), 0.08);
}

TEST(RateScan, WhatDivergesIsNarrowedDown) {
  std::vector<TriedRate> tried = scan({0.01, 0.02, 0.08}, 0.05);
  tried[2].diverged = true;
  EXPECT_EQ(choose_rate(tried).kind, BestRate::kHighestEdge) << "it may lie anywhere up to 0.08";
  EXPECT_FALSE(choose_rate(tried).is_optimum());
  std::vector<TriedRate> narrow = scan({0.01, 0.02, 0.029}, 0.05);
  narrow[2].diverged = true;
  EXPECT_EQ(choose_rate(narrow).kind, BestRate::kBelowDivergence);
  EXPECT_DOUBLE_EQ(choose_rate(narrow).rate, 0.02);
  EXPECT_TRUE(choose_rate(narrow).is_optimum());
  std::vector<TriedRate> low = scan({0.01, 0.02, 0.04}, 0.02);
  low[0].diverged = true;
  EXPECT_EQ(choose_rate(low).kind, BestRate::kLowestEdge);
  EXPECT_DOUBLE_EQ(*rate_beyond(tried), 0.04) << "halfway in ln rate";
  for (TriedRate& each : tried) each.diverged = true;
  EXPECT_EQ(choose_rate(tried).kind, BestRate::kNone);
  EXPECT_DOUBLE_EQ(*rate_beyond(tried), 0.005);
}

TEST(RateScan, RatesAreRoundedToDigitsThatMeanSomething) {
  EXPECT_DOUBLE_EQ(rounded_rate(0.0123456, 3), 0.0123);
  EXPECT_DOUBLE_EQ(rounded_rate(1.2345e-7, 4), 1.235e-7);
}

RatePoint point(double n, double d, double file_rate, double best) {
  return {n, d, file_rate, best};
}

TEST(RateLaw, CorrectsTheFilesRateByAPowerOfN) {
  std::vector<RatePoint> points;
  for (const double n : {1e3, 4e3, 2e4}) {
    points.push_back(point(n, 2e6, 0.01, 0.01 * 3 * std::pow(n / 4e3, -0.3)));
  }
  const RateLaw law = fit_rate_law(points).value();
  EXPECT_NEAR(law.exponent_n.value(), -0.3, 1e-12);
  EXPECT_NEAR(law.standard_error_n.value(), 0, 1e-9);
  EXPECT_FALSE(law.exponent_d) << "all at one D";
  EXPECT_NEAR(law.rate_at(0.01, 4e3, 2e6), 0.03, 1e-12);
  EXPECT_NEAR(law.rate_at(0.02, 4e5, 9e9), rounded_rate(0.06 * std::pow(100, -0.3), 3), 1e-12)
      << "on that cell's own rate";
}

TEST(RateLaw, TwoSizesGiveAFactorAndNoExponent) {
  const RateLaw law = fit_rate_law({point(1e3, 1e6, 1, 2), point(1e4, 1e6, 1, 8)}).value();
  EXPECT_FALSE(law.exponent_n);
  EXPECT_DOUBLE_EQ(law.rate_at(0.5, 1e9, 1e9), 2) << "their geometric mean";
  EXPECT_FALSE(fit_rate_law({}));
}

TEST(RateLaw, SizesThatALadderRoundsAreOneSize) {
  const auto law = fit_rate_law({point(1e3, 1e6, 1, 2), point(1005, 1e6, 1, 3),
                                 point(995, 1e6, 1, 2.5), point(1e4, 1e6, 1, 8)});
  EXPECT_FALSE(law->exponent_n);
}

TEST(RateLaw, NAndDAreToldApartWhereTheyVaryApart) {
  std::vector<RatePoint> apart, together;
  for (const double n : {1e3, 4e3, 2e4}) {
    for (const double d : {1e6, 3e6, 9e6}) {
      apart.push_back(point(n, d, 1, std::pow(n, -0.7) * std::pow(d, 0.3)));
    }
    together.push_back(point(n, 20 * n, 1, std::pow(n, -0.7)));
  }
  EXPECT_NEAR(fit_rate_law(apart)->exponent_n.value(), -0.7, 1e-12);
  EXPECT_NEAR(fit_rate_law(apart)->exponent_d.value(), 0.3, 1e-12);
  EXPECT_NEAR(fit_rate_law(together)->exponent_n.value(), -0.7, 1e-12);
  EXPECT_FALSE(fit_rate_law(together)->exponent_d);
}

}  // namespace
}  // namespace scalelaw
