// The planner's arithmetic against closed forms and slow obvious twins.
#include "analysis/budget/planning_law.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/published/published_laws.h"

namespace scalelaw {
namespace {

PlanningLaw law_named(const std::string& name) {
  for (const PlanningLaw& law : published_planning_laws()) {
    if (law.name == name) return law;
  }
  ADD_FAILURE() << "no law " << name;
  return {};
}

// To ten digits.
void expect_same(double a, double b) {
  EXPECT_NEAR(a / b, 1, 1e-10) << a << " and " << b;
}

TEST(PlanningLaw, SplitsABudgetAsTheClosedFormSays) {
  for (const PlanningLaw& law : published_planning_laws()) {
    const double g = std::pow(law.alpha * law.a / (law.beta * law.b), 1 / (law.alpha + law.beta));
    const double share = law.beta / (law.alpha + law.beta);
    for (const double c : {1e18, 3.2e22, 1e26}) {
      const TrainingPlan plan = plan_of_compute(law, c);
      expect_same(plan.n, g * std::pow(c / 6, share));
      expect_same(plan.d, std::pow(c / 6, 1 - share) / g);
      expect_same(plan.flops(), c);
      for (const double off : {.9, 1.1}) {
        EXPECT_LT(plan.loss, law.loss(plan.n * off, plan.d / off)) << law.name;
      }
    }
  }
}

TEST(PlanningLaw, SizeTokensLossAndComputeOfOnePlanLeadBackToIt) {
  for (const PlanningLaw& law : published_planning_laws()) {
    const TrainingPlan plan = plan_of_compute(law, 1e23);
    expect_same(plan_of_size(law, plan.n).d, plan.d);
    expect_same(plan_of_tokens(law, plan.d).n, plan.n);
    const auto cheapest = plan_of_loss(law, plan.loss);
    ASSERT_TRUE(cheapest);
    EXPECT_NEAR(cheapest->flops() / 1e23, 1, 1e-8);  // of a loss that stands on its floor
  }
}

TEST(PlanningLaw, NumbersOfTheRefitByHand) {
  const PlanningLaw law = law_named("epoch");
  const double loss = 1.8172 + 482.01 / std::pow(7e10, .3478) + 2085.43 / std::pow(1.4e12, .3658);
  expect_same(law.loss(7e10, 1.4e12), loss);
  EXPECT_NEAR(loss, 1.974, 1e-3);
}

TEST(PlanningLaw, OfKaplansFormIsKaplansFormula) {
  const PublishedKaplanSurface& k = published_kaplan_surface();
  const double by_hand = std::pow(std::pow(6.4e13 / 1e9, .076 / .103) + 1.8e13 / 2e10, .103);
  expect_same(law_named("kaplan").loss(1e9, 2e10), by_hand);
  expect_same(law_named("kaplan").loss_without_limit_of_data(1e9), std::pow(k.n_c / 1e9, k.a_n));
}

TEST(PlanningLaw, ALossAtTheFloorIsNeverReached) {
  const PlanningLaw law = law_named("epoch");
  EXPECT_FALSE(plan_of_loss(law, law.e));
  EXPECT_FALSE(plan_of_loss(law, 1));
  EXPECT_FALSE(plan_of_lifetime(law, 1, 1e12));
  EXPECT_TRUE(plan_of_loss(law, law.e + .01));
}

TEST(PlanningLaw, InferenceMakesModelsSmallerAndTheirTrainingLonger) {
  const PlanningLaw law = law_named("chinchilla");
  const double loss = 2.1;
  const TrainingPlan cheapest = *plan_of_loss(law, loss);
  const TrainingPlan none = *plan_of_lifetime(law, loss, 0);
  EXPECT_NEAR(none.n / cheapest.n, 1, 1e-4);
  EXPECT_NEAR(none.flops() / cheapest.flops(), 1, 1e-9);
  for (const double served : {1e11, 1e13}) {
    const TrainingPlan plan = *plan_of_lifetime(law, loss, served);
    EXPECT_NEAR(law.loss(plan.n, plan.d), loss, 1e-9);
    EXPECT_LT(plan.n, cheapest.n);
    EXPECT_GT(plan.d, cheapest.d);
    // The slow twin: every size, the tokens that it needs.
    double least = 1e300;
    for (double n = cheapest.n / 50; n < cheapest.n * 2; n *= 1.0005) {
      const double rest = loss - law.e - law.a * std::pow(n, -law.alpha);
      if (rest <= 0) continue;
      least =
          std::min(least, lifetime_flops({n, std::pow(law.b / rest, 1 / law.beta), loss}, served));
    }
    EXPECT_LE(lifetime_flops(plan, served), least * (1 + 1e-12));
    EXPECT_NEAR(lifetime_flops(plan, served) / least, 1, 1e-6);
  }
}

TEST(PlanningLaw, RepeatedTokensAreWorthLessAndLess) {
  const double u = 1e11, scale = published_repetition().of_data;
  EXPECT_EQ(worth_of_repeated(u, 1), u);
  expect_same(worth_of_repeated(u, 4), u + u * scale * (1 - std::exp(-3 / scale)));
  EXPECT_GT(worth_of_repeated(u, 4), 3.6 * u) << "nearly free";
  EXPECT_LT(worth_of_repeated(u, 1e6), (1 + scale) * u * (1 + 1e-12));
  const PlanningLaw law = law_named("epoch");
  const double small = plan_of_tokens(law, u).n / 2;
  expect_same(loss_of_repeated(law, small, u, 1), law.loss(small, u));
  EXPECT_GT(loss_of_repeated(law, small * 40, u, 4), law.loss(small * 40, 4 * u));
}

TEST(PlanningLaw, ABandIsTheDeltaMethodsAndOnlyWhereACovarianceIs) {
  EXPECT_FALSE(band(law_named("chinchilla"), [](const PlanningLaw& at) { return at.e; }));
  PlanningLaw law = law_named("epoch");
  ASSERT_TRUE(law.uncertainty);
  law.uncertainty->covariance = {};
  law.uncertainty->covariance[4][4] = .01 * .01;
  law.uncertainty->reach = 2;
  const Interval floor = floor_band(law);
  expect_same(floor.low, law.e * std::exp(-.02));
  expect_same(floor.high, law.e * std::exp(.02));
  law.uncertainty->covariance = {};
  law.uncertainty->covariance[0][0] = 1e-4;
  // d ln(A N^-alpha) / d alpha = centre - ln N
  const auto size_term = [](const PlanningLaw& at) { return at.a * std::pow(1e10, -at.alpha); };
  const Interval found = *band(law, size_term);
  const double reach = 2 * .01 * std::abs(law.uncertainty->centre.ln_n - std::log(1e10));
  EXPECT_NEAR(std::log(found.high / found.low), 2 * reach, 1e-6);
}

}  // namespace
}  // namespace scalelaw
