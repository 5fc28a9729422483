#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/fitting/bootstrap.h"
#include "analysis/fitting/distributions.h"
#include "analysis/fitting/profile.h"
#include "analysis/fitting/robust_refine.h"
#include "analysis/fitting/variable_projection.h"

namespace scalelaw {
namespace {

std::vector<Observation> simulate(double floor, double a, double alpha, double noise, int sizes,
                                  double decades, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<Observation> rows;
  for (int i = 0; i < sizes; ++i) {
    const double n = 1e3 * std::pow(10.0, decades * i / (sizes - 1));
    const double loss = floor + a * std::pow(n, -alpha);
    rows.push_back({n, 1, loss * std::exp(noise * normal(random)), 1});
  }
  return rows;
}

TEST(Laws, GradientByJetsEqualsDifferences) {
  const std::vector<std::pair<const Law*, std::vector<double>>> cases = {
      {&power_law(), {.1, .7}},
      {&power_law_with_floor(), {.3, .2, -.4}},
      {&chinchilla_law(), {.3, .4, .2, -.1, .3}}};
  for (const auto& [law, theta] : cases) {
    const CentredScale at{1.3, -.7};
    std::vector<double> gradient(theta.size());
    law->ln_loss(theta, at, gradient.data());
    for (std::size_t k = 0; k < theta.size(); ++k) {
      std::vector<double> up = theta, down = theta;
      up[k] += 1e-6;
      down[k] -= 1e-6;
      EXPECT_NEAR(gradient[k], (law->ln_loss(up, at) - law->ln_loss(down, at)) / 2e-6, 1e-9)
          << law->id() << " " << k;
    }
  }
}

TEST(Fits, NoiseFreeTruthIsRecoveredByBothLaws) {
  const FitData plain(simulate(0, 6, .1, 0, 8, 2, 1));
  const FitResult power = fit_robust(power_law(), plain, {.huber_delta = kLeastSquares});
  ASSERT_EQ(power.status, FitStatus::kConverged) << power.why;
  EXPECT_NEAR(power.theta[0], .1, 1e-9);
  EXPECT_NEAR(power_law().published(power.theta, plain.centre)[1].value, std::pow(6, 10), 1e-2);

  const FitData floored(simulate(1.8, 40, .4, 0, 8, 3, 1));
  for (const double delta : {1e-3, kLeastSquares}) {
    const FitResult fit = fit_robust(power_law_with_floor(), floored, {.huber_delta = delta});
    ASSERT_EQ(fit.status, FitStatus::kConverged) << fit.why;
    const auto parameters = power_law_with_floor().published(fit.theta, floored.centre);
    EXPECT_NEAR(parameters[0].value, .4, 1e-6);
    EXPECT_NEAR(parameters[1].value, 40, 1e-3);
    EXPECT_NEAR(parameters[2].value, 1.8, 1e-6);
  }
}

TEST(Fits, NoFloorInTheDataIsSaidToBeAtTheBound) {
  // Curved the other way (steeper at large N): only E < 0 would fit better.
  std::vector<Observation> rows;
  for (int i = 0; i < 8; ++i) {
    const double x = i * .6;
    rows.push_back({1e3 * std::exp(x), 1, std::exp(1.2 - .05 * x - .01 * x * x), 1});
  }
  const FitData data(rows);
  EXPECT_EQ(fit_least_squares(power_law_with_floor(), data).status, FitStatus::kAtBound);
  const FitResult fit = fit_robust(power_law_with_floor(), data, {.huber_delta = kLeastSquares});
  EXPECT_EQ(fit.status, FitStatus::kAtBound) << fit.why;
  const ProfileInterval interval =
      profile_floor(power_law_with_floor(), data, fit, ProfileKind::kGaussian, 0);
  EXPECT_FALSE(interval.low_bounded);
  EXPECT_FALSE(interval.identified());
}

TEST(Fits, ThreePointsWithAFloorAreNotIdentified) {
  const std::vector<Observation> rows = {
      {2.19e17, 1, 3.7404, 1}, {1.70e18, 1, 3.3834, 1}, {9.00e18, 1, 3.1230, 1}};
  const FitData data(rows);
  const FitResult fit = fit_robust(power_law_with_floor(), data, {.huber_delta = kLeastSquares});
  ASSERT_EQ(fit.status, FitStatus::kNotIdentified) << name(fit.status);
  EXPECT_NE(fit.why.find("0 residual degrees of freedom"), std::string::npos);
  EXPECT_NEAR(std::exp(fit.theta[2]), .578, .01);
  const ProfileInterval interval =
      profile_floor(power_law_with_floor(), data, fit, ProfileKind::kGaussian, 0);
  EXPECT_FALSE(interval.identified());
  // E = 0 is within .04%.
  const FitResult no_floor = fit_robust(power_law(), data, {.huber_delta = kLeastSquares});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(power_law().ln_loss(no_floor.theta, data.scale[i]), data.ln_loss[i], 6e-4);
  }
}

TEST(Fits, TooFewAndDegenerateDataGetTheirOwnStatus) {
  const FitData one(std::vector<Observation>{{1e3, 1, 2, 1}, {1e3, 1, 2.1, 1}, {1e3, 1, 2.2, 1}});
  EXPECT_EQ(fit_robust(power_law(), one, {}).status, FitStatus::kTooFewPoints);
  const FitData two(std::vector<Observation>{{1e3, 1, 2, 1}, {1e4, 1, 1.8, 1}});
  EXPECT_EQ(fit_robust(power_law_with_floor(), two, {}).status, FitStatus::kTooFewPoints);
  // Loss that rises, bent either way by noise, tends to no floor.
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const FitData rising(simulate(0, 3, -.03, seed == 1 ? 0 : .003, 8, 2, seed));
    const FitResult floor =
        fit_robust(power_law_with_floor(), rising, {.huber_delta = kLeastSquares});
    EXPECT_FALSE(has_curve(floor.status)) << seed << name(floor.status);
  }
}

TEST(Fits, AnExponentAtTheEndOfItsRangeIsNotAFloorOfZero) {
  const FitData rising(simulate(0, 3, -.1, 0, 8, 2, 1));
  EXPECT_EQ(fit_least_squares(power_law(), rising).status, FitStatus::kDegenerate);
}

TEST(Fits, OneOutlierMovesTheRobustSlopeLittle) {
  std::vector<Observation> rows = simulate(0, 6, .1, .002, 10, 2, 3);
  rows[8].loss *= 1.3;
  const FitData data(rows);
  const double delta = default_huber_delta(power_law(), data);
  const FitResult robust = fit_robust(power_law(), data, {.huber_delta = delta});
  const FitResult plain = fit_robust(power_law(), data, {.huber_delta = kLeastSquares});
  EXPECT_LT(std::abs(robust.theta[0] - .1), .5 * std::abs(plain.theta[0] - .1));
}

TEST(Profiles, GaussianProfileOfTheFloorCoversTheTruth) {
  int covered = 0, identified = 0;
  constexpr int kSimulations = 200;
  for (int i = 0; i < kSimulations; ++i) {
    const FitData data(simulate(1.8, 40, .35, .003, 10, 3, 100 + i));
    const FitResult fit = fit_robust(power_law_with_floor(), data, {.huber_delta = kLeastSquares});
    const ProfileInterval interval =
        profile_floor(power_law_with_floor(), data, fit, ProfileKind::kGaussian, 0);
    identified += interval.identified();
    covered += (!interval.low_bounded || interval.low <= 1.8) &&
               (!interval.high_bounded || interval.high >= 1.8);
  }
  EXPECT_GT(identified, kSimulations * 9 / 10);
  // Four standard deviations of a binomial share at .95 and 200 are .062.
  EXPECT_NEAR(static_cast<double>(covered) / kSimulations, .95, .062);
}

TEST(Bootstrap, NumberOfThreadsChangesNothing) {
  const FitData data(simulate(0, 6, .1, .01, 14, 2, 5));
  const FitResult best = fit_robust(power_law(), data, {.huber_delta = 1e-2});
  std::vector<int> cluster(data.rows());
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster[i] = static_cast<int>(i);
  const auto run = [&](int threads, uint64_t seed) {
    return bootstrap(cluster, static_cast<int>(cluster.size()),
                     {.replicates = 300, .seed = seed, .threads = threads},
                     [&](std::span<const double> weights) {
                       FitData replicate = data;
                       replicate.weight.assign(weights.begin(), weights.end());
                       const FitResult fit = refine(power_law(), replicate, best.theta, {});
                       return Replicate{Replicate::Outcome::kFitted, {fit.theta[0]}};
                     })
        .fitted;
  };
  EXPECT_EQ(run(1, 7), run(3, 7));
  EXPECT_NE(run(1, 7), run(1, 8));
}

// L = E + A N^-alpha whose derivatives are wrong where E > 1.85: no search converges there.
class LawWithoutDescentAtHighFloors : public Law {
 public:
  std::string_view id() const override { return law_.id(); }
  std::string_view formula() const override { return law_.formula(); }
  int parameters() const override { return law_.parameters(); }
  int exponents() const override { return law_.exponents(); }
  bool has_floor() const override { return true; }
  double ln_loss(std::span<const double> theta, CentredScale at, double* gradient) const override {
    const double value = law_.ln_loss(theta, at, gradient);
    if (gradient && theta.back() > std::log(1.85)) {
      for (int k = 0; k < parameters(); ++k) gradient[k] = -gradient[k] - .1 * (at.x + k);
    }
    return value;
  }
  std::vector<LawParameter> published(std::span<const double> theta,
                                      LogCentre centre) const override {
    return law_.published(theta, centre);
  }

 private:
  const Law& law_ = power_law_with_floor();
};

TEST(Profiles, RefitsThatDoNotConvergeCountAsInsideAndAreCounted) {
  const FitData data(simulate(1.8, 40, .35, .003, 10, 3, 100));
  const FitResult fit = fit_robust(power_law_with_floor(), data, {.huber_delta = kLeastSquares});
  const ProfileInterval sound =
      profile_floor(power_law_with_floor(), data, fit, ProfileKind::kGaussian, 0);
  EXPECT_TRUE(sound.identified());
  EXPECT_EQ(sound.unconverged, 0);
  const ProfileInterval stuck =
      profile_floor(LawWithoutDescentAtHighFloors(), data, fit, ProfileKind::kGaussian, 0);
  EXPECT_GT(stuck.unconverged, 0);
  EXPECT_TRUE(stuck.low_bounded);
  EXPECT_FALSE(stuck.high_bounded) << stuck.high;
}

TEST(Profiles, TheExponentOverASetNeedsRefitsThatConverge) {
  const FitData data(simulate(1.8, 40, .35, .003, 10, 3, 100));
  const FitResult fit = fit_robust(power_law_with_floor(), data, {.huber_delta = kLeastSquares});
  const ProfileInterval set =
      profile_floor(power_law_with_floor(), data, fit, ProfileKind::kGaussian, 0);
  ASSERT_TRUE(set.identified());
  ASSERT_GT(set.high, 1.85);
  const auto alpha = exponent_over_set(power_law_with_floor(), data, fit, set);
  ASSERT_TRUE(alpha);
  EXPECT_LT(alpha->low, fit.theta[0]);
  EXPECT_GT(alpha->high, fit.theta[0]);
  // The refit at the upper end stops anywhere: its exponent is no result.
  EXPECT_FALSE(exponent_over_set(LawWithoutDescentAtHighFloors(), data, fit, set));
  ProfileInterval open = set;
  open.high_bounded = false;
  EXPECT_FALSE(exponent_over_set(power_law_with_floor(), data, fit, open));
}

TEST(Bootstrap, CountsAreAReplicateOfTheSameSize) {
  for (int replicate = 0; replicate < 50; ++replicate) {
    int sum = 0;
    for (const int count : bootstrap_counts(9, 1, replicate)) sum += count;
    EXPECT_EQ(sum, 9);
  }
}

TEST(Bootstrap, TooFewFittedReplicatesGiveNoInterval) {
  BootstrapResult result;
  result.fitted.assign(99, {1.0});
  EXPECT_FALSE(result.quantile(0, .5));
}

TEST(Distributions, QuantilesEqualTables) {
  EXPECT_NEAR(student_t_quantile(.975, 12), 2.1788128297, 1e-8);
  EXPECT_NEAR(student_t_quantile(.975, 1), 12.7062047362, 1e-7);
  EXPECT_NEAR(student_t_quantile(.025, 6), -2.4469118511, 1e-8);
  EXPECT_NEAR(f_quantile(.95, 1, 12), 4.7472253467, 1e-7);
  EXPECT_NEAR(f_upper_tail(4.7472253467, 1, 12), .05, 1e-9);
  EXPECT_NEAR(chi_square_1_quantile(.95), 3.8414588207, 1e-8);
  EXPECT_NEAR(normal_quantile(.8), .8416212336, 1e-9);
}

TEST(Distributions, DegreesOfFreedomOfASumLieBetweenItsPartsAndTheirSum) {
  const auto df = [](std::vector<VariancePart> parts) { return satterthwaite_df(parts); };
  EXPECT_NEAR(df({{2, 6}, {2, 6}}), 12, 1e-12);
  EXPECT_NEAR(df({{9, 3}, {1, 6}}), 100 / (27 + 1. / 6), 1e-12);
  EXPECT_NEAR(df({{9, 3}, {0, 6}}), 3, 1e-12);
  EXPECT_EQ(df({{0, 3}, {0, 6}}), 3);
}

TEST(Distributions, PowerIsTheLevelAtNoEffectAndEightyPercentAtTheDetectableOne) {
  EXPECT_NEAR(t_test_power(0, 1, 12, .05), .05, 1e-4);
  const double effect = detectable_effect(1, 12, .05, .8);
  EXPECT_NEAR(t_test_power(effect, 1, 12, .05), .8, 1e-6);
  EXPECT_NEAR(effect, 3.03, .05);  // t .975 + t .80 at 12 degrees of freedom: 3.05
}

}  // namespace
}  // namespace scalelaw
