// Two constants together, against an ellipse in closed form and against truth.
#include "analysis/fitting/joint_contour.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/fitting/distributions.h"
#include "tests/analysis/law_cases.h"

namespace scalelaw {
namespace {

TEST(JointContour, OfALineIsItsEllipse) {
  const std::string columns[] = {"x"};
  const FormulaLaw law = own_law("y = a + b*x", columns);
  FormulaData data;
  const double noise[] = {.1, -.2, .05, .15, -.1, -.05, .12};
  double n = 0, sum = 0, squares = 0;
  for (int i = 0; i < 7; ++i) {
    const double x = 1 + i;
    data.add(std::vector{x}, 2 + .5 * x + noise[i]);
    n += 1;
    sum += x;
    squares += x * x;
  }
  const FormulaFit fit = fit_formula(law, data, {.kind = ErrorKind::kGaussian});
  ASSERT_EQ(fit.status, FitStatus::kConverged) << fit.why;
  EXPECT_NEAR(joint_rise(fit, .95), 2 * f_quantile(.95, 2, 5) * 2 * fit.objective / 5, 1e-12);
  const double rise = joint_rise(fit, .95);
  const JointContour contour = joint_contour(law, data, ErrorKind::kGaussian, fit, 0, 1, rise);
  ASSERT_EQ(contour.x.size(), static_cast<std::size_t>(kContourPoints));
  EXPECT_TRUE(contour.bounded());
  EXPECT_EQ(contour.unconverged, 0);
  EXPECT_NEAR(contour.correlation, -sum / std::sqrt(n * squares), 1e-6);
  for (std::size_t i = 0; i < contour.x.size(); ++i) {
    const double a = contour.x[i] - fit.values[0], b = contour.y[i] - fit.values[1];
    EXPECT_NEAR((n * a * a + 2 * sum * a * b + squares * b * b) / rise, 1, 1e-4) << i;
  }
}

FormulaData sizes(double noise, int count, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  FormulaData data;
  for (int i = 0; i < count; ++i) {
    const double n = 1e5 * std::pow(1000, double(i) / (count - 1));
    data.add(std::vector{n}, (1.8 + 60 * std::pow(n, -.34)) * std::exp(noise * normal(random)));
  }
  return data;
}

// Whether a point lies within the polygon: crossings of a ray to the right.
bool holds(const JointContour& contour, double x, double y) {
  bool inside = false;
  const std::size_t count = contour.x.size();
  for (std::size_t i = 0, j = count - 1; i < count; j = i++) {
    if ((contour.y[i] > y) == (contour.y[j] > y)) continue;
    const double at = contour.x[i] + (y - contour.y[i]) / (contour.y[j] - contour.y[i]) *
                                         (contour.x[j] - contour.x[i]);
    if (x < at) inside = !inside;
  }
  return inside;
}

TEST(JointContour, OfFloorAndExponentHoldsTheTruthAsOftenAsItSays) {
  const FormulaLaw& law = *find_formula_law("power_floor_n");
  std::mt19937_64 random(17);
  const char* asked = std::getenv("SCALELAW_COVERAGE_SIMULATIONS");
  const int simulations = asked == nullptr ? 150 : std::atoi(asked);
  int held = 0, open = 0, in_box = 0;
  for (int i = 0; i < simulations; ++i) {
    const FormulaData data = sizes(.003, 16, random);
    const FormulaFit fit = fit_formula(law, data, {.kind = ErrorKind::kGaussianLn});
    ASSERT_TRUE(has_curve(fit.status)) << fit.why;
    const JointContour contour =
        joint_contour(law, data, ErrorKind::kGaussianLn, fit, 0, 2, joint_rise(fit, .95));
    held += holds(contour, 1.8, .34);
    open += !contour.bounded();
    const auto [low, high] = std::ranges::minmax(contour.y);
    in_box += low < .34 && .34 < high;
    EXPECT_GT(contour.correlation, .9);
  }
  RecordProperty("held", held);
  EXPECT_EQ(open, 0);
  EXPECT_GE(in_box, held);
  const double share = double(held) / simulations;
  const double error = 3 * std::sqrt(.95 * .05 / simulations);
  EXPECT_NEAR(share, .95, error);
}

TEST(JointContour, WithoutAnEndItSaysSo) {
  // Half a decade of sizes and 1% of noise: no floor is excluded.
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  FormulaData data;
  for (int i = 0; i < 8; ++i) {
    const double n = 1e6 * std::pow(1.2, i);
    data.add(std::vector{n}, (.5 + 30 * std::pow(n, -.2)) * std::exp(.01 * normal(random)));
  }
  const FormulaLaw& law = *find_formula_law("power_floor_n");
  const FormulaFit fit = fit_formula(law, data, {.kind = ErrorKind::kGaussianLn});
  ASSERT_TRUE(has_curve(fit.status));
  const JointContour contour =
      joint_contour(law, data, ErrorKind::kGaussianLn, fit, 0, 2, joint_rise(fit, .95));
  ASSERT_FALSE(contour.x.empty());
  EXPECT_FALSE(contour.first_reach.low_bounded);
  EXPECT_FALSE(contour.bounded());
  EXPECT_LT(std::ranges::min(contour.x), .5 * fit.values[0]);
}

}  // namespace
}  // namespace scalelaw
