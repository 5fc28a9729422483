// Approaches to the compute-optimal frontier where the truth is known.
#include "analysis/frontier/frontier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/frontier/akima.h"
#include "tests/analysis/isoflop_grid.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

const Approach& of(const Frontier& frontier, ApproachKind kind) {
  return *std::ranges::find(frontier.approaches, kind, &Approach::kind);
}

FrontierOptions quick() {
  FrontierOptions options;
  options.bootstrap.replicates = 0;
  options.leave_out_runs = false;
  return options;
}

FrontierData without_noise(GridDesign design) {
  design.noise = 0;
  std::mt19937_64 random(1);
  return draw_grid(design, random);
}

struct Moments {
  double mean = 0, sd = 0, error = 0;  // of the mean
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  for (const double v : values) m.mean += v / static_cast<double>(values.size());
  for (const double v : values) m.sd += (v - m.mean) * (v - m.mean);
  m.sd = std::sqrt(m.sd / static_cast<double>(values.size() - 1));
  m.error = m.sd / std::sqrt(static_cast<double>(values.size()));
  return m;
}

// Made with SciPy's Akima1DInterpolator's rule by hand: equal slopes give the line, and a kink
// between two straight arms stays one.
TEST(Akima, GoesThroughItsPointsAndKeepsStraightArmsStraight) {
  const std::array x = {0., 1., 2., 3., 4., 5., 6.}, y = {3., 2., 1., 0., 1., 2., 3.};
  const AkimaCurve curve(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(curve.at(x[i]), y[i], 1e-12);
  EXPECT_NEAR(curve.at(.5), 2.5, 1e-12);
  EXPECT_NEAR(curve.at(5.25), 2.25, 1e-12);
  EXPECT_NEAR(curve.minimum().x, 3, 1e-12);
  const std::array line = {0., 2., 4., 6., 8., 10., 12.};
  EXPECT_NEAR(AkimaCurve(x, line).at(3.3), 6.6, 1e-12);
  EXPECT_EQ(AkimaCurve(x, line).minimum().x, 0) << "the end is lowest";
}

TEST(Akima, ItsMinimumIsNoHigherThanAnyPlace) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  for (int i = 0; i < 200; ++i) {
    std::vector<double> x, y;
    for (int k = 0; k < 7; ++k) {
      x.push_back(k + .3 * std::abs(normal(random)));
      y.push_back((k - 3) * (k - 3) + normal(random));
    }
    std::ranges::sort(x);
    const AkimaCurve curve(x, y);
    const AkimaCurve::Point lowest = curve.minimum();
    EXPECT_NEAR(curve.at(lowest.x), lowest.y, 1e-9);
    for (int k = 0; k <= 1000; ++k) {
      EXPECT_GE(curve.at(x.front() + k * (x.back() - x.front()) / 1000), lowest.y - 1e-12);
    }
  }
}

TEST(ComputeLaw, IsSixWhereComputeIsSixNDAndAPowerOfNElsewhere) {
  std::vector<FrontierPoint> points;
  for (const double n : {1e4, 3e4, 1e5}) points.push_back({n, 1e6, 6 * n * 1e6, 3, 0});
  EXPECT_EQ(compute_law(points).s, 0);
  EXPECT_NEAR(std::exp(compute_law(points).ln_k), 6, 1e-12);
  for (FrontierPoint& p : points) p.c = 20 * std::pow(p.n, .9) * p.d;
  const ComputeLaw law = compute_law(points);
  EXPECT_NEAR(law.s, -.1, 1e-9);
  EXPECT_LT(law.worst, 1e-9);
  EXPECT_NEAR(std::exp(law.ln_d(std::log(points[1].c), std::log(3e4))), 1e6, 1e-3);
}

// Where C is no 6 N D, the optimum must still be where no other size of the budget is better.
TEST(SurfaceFrontier, IsLowestOfItsBudgetByAnyCountOfCompute) {
  const KnownSurface truth;
  FrontierData data;
  for (const double n : {1e7, 1e8, 1e9, 4e9}) {
    for (const double d : {1e9, 1e10, 1e11}) {
      data.points.push_back({n, d, 30 * std::pow(n, .92) * d, truth.loss(n, d),
                             static_cast<int>(data.points.size())});
    }
  }
  const ComputeLaw compute = compute_law(data.points);
  SurfaceOptions options;
  options.bootstrap.replicates = 0;
  options.leave_out_runs = false;
  options.budgets = {1e21};
  const SurfaceFrontier found =
      surface_frontier(data, compute, ApproachKind::kLeastSquaresLn, options);
  ASSERT_TRUE(found.approach.stands()) << found.approach.why;
  EXPECT_NEAR(found.approach.exponent.value, truth.beta / (truth.alpha + .92 * truth.beta), 1e-5);
  const double n = found.approach.at.front().n.value;
  const auto loss = [&](double size) {
    return truth.loss(size, 1e21 / (30 * std::pow(size, .92)));
  };
  EXPECT_LT(loss(n), loss(1.05 * n));
  EXPECT_LT(loss(n), loss(n / 1.05));
  EXPECT_NEAR(found.approach.at.front().d.value, 1e21 / (30 * std::pow(n, .92)), 1e3);
  EXPECT_NEAR(found.approach.at.front().loss.value, loss(n), 1e-6);
}

// Biases that were measured elsewhere with 200 replicates; these are of as many, so both have
// simulation errors.
struct BiasCase {
  const char* what;
  GridDesign design;
  double parabola_bias, parabola_sd;
  double level, akima_sd;  // 0: was not measured
};

TEST(IsoFlopBias, OfDriftingAndShiftedGridsIsAsMeasured) {
  GridDesign shifted, drifting, steep;
  shifted.first_centre = shifted.last_centre = 2;
  drifting.last_centre = .5;
  steep.surface.alpha = .465;
  steep.surface.beta = .155;
  steep.last_centre = .5;
  for (const BiasCase& c : {BiasCase{"centred", {}, .0001, .0029, 0, .023},
                            BiasCase{"a factor 2 off", shifted, 0, 0, .993, 0},
                            BiasCase{"drifting", drifting, .0012, 0, 0, 0},
                            BiasCase{"second surface, drifting", steep, -.0136, 0, 0, 0}}) {
    std::vector<double> parabola, akima, projected, corrected, level;
    std::mt19937_64 random(11);
    const double truth = c.design.surface.exponent();
    for (int i = 0; i < 200; ++i) {
      FrontierOptions options = quick();
      options.isoflop.noise_replicates = 0;
      const FrontierData data = draw_grid(c.design, random);
      const ComputeLaw compute = compute_law(data.points);
      const IsoFlops curves = isoflops(data.points, options.isoflop);
      const SizeLaw law = isoflop_law(curves, ApproachKind::kParabola, false);
      parabola.push_back(law.exponent - truth);
      level.push_back(std::exp(law.ln_n_at_centre) /
                      c.design.surface.best_n(std::exp(law.centre_ln_c)));
      akima.push_back(isoflop_law(curves, ApproachKind::kAkima, false).exponent - truth);
      SurfaceOptions surface;
      surface.bootstrap.replicates = 0;
      surface.leave_out_runs = false;
      projected.push_back(surface_frontier(data, compute, ApproachKind::kLeastSquaresLn, surface)
                              .approach.exponent.value -
                          truth);
      if (i < 40) {
        const Frontier all = find_frontier(data, options);
        const Approach& approach = of(all, ApproachKind::kParabola);
        ASSERT_TRUE(approach.bias) << c.what;
        corrected.push_back(approach.exponent.value - *approach.bias - truth);
      }
    }
    const Moments p = moments(parabola), a = moments(akima), v = moments(projected),
                  k = moments(corrected), l = moments(level);
    std::printf(
        "%s: parabola %+.4f (sd %.4f), N*/true %.3f, Akima sd %.4f, projected %+.4f (sd %.4f), "
        "corrected %+.4f (sd %.4f)\n",
        c.what, p.mean, p.sd, l.mean, a.sd, v.mean, v.sd, k.mean, k.sd);
    // Both means have this error, theirs and ours: three of their difference.
    EXPECT_NEAR(p.mean, c.parabola_bias, 3 * std::sqrt(2.) * p.error + 5e-5) << c.what;
    if (c.parabola_sd > 0) {
      EXPECT_NEAR(p.sd, c.parabola_sd, .0006) << c.what;
    }
    EXPECT_NEAR(v.mean, 0, 4 * v.error) << c.what;
    EXPECT_NEAR(k.mean, 0, 4 * k.error) << c.what;
    if (c.akima_sd > 0) {
      EXPECT_NEAR(a.sd, c.akima_sd, .006) << c.what;
    }
    if (c.level > 0) {
      EXPECT_NEAR(l.mean, c.level, .002) << c.what;
    }
  }
}

TEST(IsoFlopBias, WithoutNoiseTheFrontierFindsItExactly) {
  GridDesign steep;
  steep.surface.alpha = .465;
  steep.surface.beta = .155;
  steep.last_centre = .5;
  const Frontier found = find_frontier(without_noise(steep), quick());
  const Approach& parabola = of(found, ApproachKind::kParabola);
  ASSERT_TRUE(parabola.bias);
  EXPECT_NEAR(*parabola.bias, -.01362, 2e-5);
  EXPECT_NEAR(parabola.exponent.value - *parabola.bias, steep.surface.exponent(), 1e-5);
}

TEST(IsoFlops, AMinimumAtAnEndIsABoundAndOnNoLine) {
  GridDesign design;
  design.last_centre = 40;  // the largest budget's sizes all lie above its N*
  const FrontierData data = without_noise(design);
  const Frontier found = find_frontier(data, quick());
  const IsoFlop& last = found.isoflop.budgets.back();
  EXPECT_EQ(last.parabola.status, MinimumStatus::kAtOrBelow);
  EXPECT_EQ(last.akima.status, MinimumStatus::kAtOrBelow);
  EXPECT_EQ(std::exp(last.parabola.ln_n), std::exp(last.ln_n.front()));
  const Approach& parabola = of(found, ApproachKind::kParabola);
  EXPECT_LT(parabola.budgets, 5);
  EXPECT_NE(parabola.remarks.front().find("left out"), std::string::npos);
  EXPECT_TRUE(parabola.at.back().beyond);
}

// The parabola through a long arm bends less than the curve, so its lowest place lies inside though
// the smallest size is the best that was tried.
TEST(IsoFlops, AnEndThatIsTheBestOfAllIsABoundWhereverTheParabolaIsLowest) {
  std::vector<FrontierPoint> points;
  const std::vector<double> losses = {3, 3.01, 3.2, 3.6};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const double n = std::pow(2, double(i));
    points.push_back({n, 1 / n, 6, losses[i], static_cast<int>(i)});
  }
  const IsoFlop found = isoflops(points, {}).budgets.front();
  const double vertex = found.centre - found.slope / (2 * found.bend);
  EXPECT_GT(vertex, found.ln_n.front());
  EXPECT_LT(vertex, found.ln_n[1]);
  EXPECT_EQ(found.parabola.status, MinimumStatus::kAtOrBelow);
}

TEST(IsoFlops, RunsOfOneSizeAreAveragedOrTheLowestIsTaken) {
  std::vector<FrontierPoint> points;
  for (const double n : {1., 2., 4.}) points.push_back({n, 1 / n, 6, 3 + std::abs(n - 2), 0});
  points.push_back({2, .5, 6, 5, 1});
  EXPECT_NEAR(isoflops(points, {}).budgets.front().ln_loss[1], .5 * std::log(15.), 1e-12);
  IsoFlopOptions options;
  options.same_size = SameSize::kLowest;
  const IsoFlops lowest = isoflops(points, options);
  EXPECT_NEAR(lowest.budgets.front().ln_loss[1], std::log(3.), 1e-12);
}

// Curves of the surface itself: each size is lowest about the budget for which it is best, so the
// envelope's line has the surface's exponent but for the ends.
TEST(Envelope, OfManySizesHasTheSurfacesExponent) {
  const KnownSurface truth;
  FrontierData data;
  int run = 0;
  for (double c = 1e17; c < 3e22; c *= 1.7) {
    LossCurve curve{truth.best_n(c), run++, {}, {}, {}};
    for (double d = c / (6 * curve.n) / 30; d < c / (6 * curve.n) * 30; d *= 1.1) {
      curve.d.push_back(d);
      curve.c.push_back(6 * curve.n * d);
      curve.loss.push_back(truth.loss(curve.n, d));
    }
    data.points.push_back({curve.n, curve.d.back(), curve.c.back(), curve.loss.back(), curve.run});
    data.curves.push_back(curve);
  }
  const Envelope found = envelope(data.curves, {});
  ASSERT_EQ(found.status, FitStatus::kConverged) << found.why;
  EXPECT_NEAR(found.exponent, truth.exponent(), .005);
  EXPECT_GT(found.at_least_size, 0);
  EXPECT_GT(found.at_largest_size, 0);
  ASSERT_TRUE(found.ln_loss(std::log(1e20)));
  const double n = truth.best_n(1e20);
  EXPECT_NEAR(std::exp(*found.ln_loss(std::log(1e20))), truth.loss(n, 1e20 / 6 / n), 2e-3);
  EXPECT_EQ(envelope({}, {}).status, FitStatus::kTooFewPoints);
  EXPECT_NE(envelope({}, {}).why.find("no loss curves"), std::string::npos);
}

TEST(Frontier, WhatCannotStandSaysWhyAndWhatCanStands) {
  GridDesign one;
  one.budgets = {1e20};
  const Frontier single = find_frontier(without_noise(one), quick());
  EXPECT_EQ(single.isoflop.budgets.front().parabola.status, MinimumStatus::kInside);
  for (const Approach& a : single.approaches) EXPECT_FALSE(a.stands()) << name(a.kind);
  EXPECT_NE(of(single, ApproachKind::kHuber).why.find("one budget"), std::string::npos);

  one.first_centre = one.last_centre = 100;
  const auto fault = [](const FrontierData& data) {
    try {
      find_frontier(data, quick());
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  EXPECT_NE(fault(without_noise(one)).find("N* is at most"), std::string::npos)
      << fault(without_noise(one));
  FrontierData few = without_noise({});
  few.points.resize(2);
  EXPECT_NE(fault(few).find("no budget has runs of 3 sizes"), std::string::npos) << fault(few);
  EXPECT_NE(fault(few).find("L(N, D) needs 6 points, and there are 2"), std::string::npos);
}

TEST(Frontier, TheNumberOfThreadsChangesNoDigit) {
  std::mt19937_64 random(5);
  const FrontierData data = draw_grid({}, random);
  FrontierOptions one, two;
  one.bootstrap = {.replicates = 200, .seed = 1, .threads = 1};
  two.bootstrap = {.replicates = 200, .seed = 1, .threads = 2};
  const Frontier a = find_frontier(data, one), b = find_frontier(data, two);
  for (std::size_t i = 0; i < a.approaches.size(); ++i) {
    const auto &x = a.approaches[i].exponent, &y = b.approaches[i].exponent;
    EXPECT_EQ(x.value, y.value);
    ASSERT_EQ(x.bootstrap.has_value(), y.bootstrap.has_value());
    if (x.bootstrap) {
      EXPECT_EQ(x.bootstrap->low, y.bootstrap->low);
    }
  }
}

}  // namespace
}  // namespace scalelaw
