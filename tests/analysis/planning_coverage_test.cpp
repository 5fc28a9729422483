// How often the planner's 95% bands hold the truth: of one's own fit, and of a bootstrap's
// covariance as the published refit carries it. Prints a table of docs/studies/coverage.md;
// SCALELAW_COVERAGE_SIMULATIONS=2000 repeats it at its full size.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "analysis/budget/planning_law.h"
#include "analysis/fitting/distributions.h"
#include "tests/analysis/bootstrap_covariance.h"
#include "tests/analysis/coverage_share.h"

namespace scalelaw {
namespace {

constexpr int kEveryday = 40;
constexpr int kReplicates = 200;

int simulations() {
  const char* asked = std::getenv("SCALELAW_COVERAGE_SIMULATIONS");
  return asked ? std::atoi(asked) : kEveryday;
}

PlanningLaw truth(double e, double a, double alpha, double b, double beta) {
  PlanningLaw law;
  law.e = e, law.a = a, law.alpha = alpha, law.b = b, law.beta = beta;
  return law;
}

PlanningLaw law_of(const FitData& data, const FitResult& fit) {
  PlanningLaw law;
  for (const LawParameter& p : chinchilla_law().published(fit.theta, data.centre)) {
    (p.symbol == "E"       ? law.e
     : p.symbol == "A"     ? law.a
     : p.symbol == "alpha" ? law.alpha
     : p.symbol == "B"     ? law.b
                           : law.beta) = p.value;
  }
  return law;
}

struct Tally {
  int size = 0, loss = 0, fitted = 0, none = 0;  // D* is C / 6 N*: in its band as N* is
  void add(const PlanningLaw& law, const PlanningLaw& true_law, double flops) {
    const TrainingPlan plan = plan_of_compute(true_law, flops);
    const auto of = [&](auto member) {
      return band(law, [&](const PlanningLaw& at) { return plan_of_compute(at, flops).*member; });
    };
    const auto n = of(&TrainingPlan::n), l = of(&TrainingPlan::loss);
    if (!n || !l) {
      ++none;
      return;
    }
    ++fitted;
    size += n->contains(plan.n);
    loss += l->contains(plan.loss);
  }
};

void print(const std::string& what, const Tally& t) {
  std::printf("| %s | %s | %s | %d |\n", what.c_str(), share(t.size, t.fitted).c_str(),
              share(t.loss, t.fitted).c_str(), t.none);
  std::fflush(stdout);
}

Tally own_fits(int sizes, int horizons, double noise, double beyond, unsigned seed) {
  const PlanningLaw law = truth(1.7, 480, .347, 2100, .367);
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Tally t;
  for (int i = 0; i < simulations(); ++i) {
    std::vector<Observation> rows;
    for (int a = 0; a < sizes; ++a) {
      for (int b = 0; b < horizons; ++b) {
        const double n = 1e7 * std::pow(100.0, double(a) / (sizes - 1));
        const double d = 2e8 * std::pow(100.0, double(b) / (horizons - 1));
        rows.push_back({n, d, law.loss(n, d) * std::exp(noise * normal(random)), 1});
      }
    }
    const FitData data(rows);
    const FitResult fit = fit_robust(chinchilla_law(), data, {.huber_delta = kLeastSquares});
    PlanningLaw found = law_of(data, fit);
    found.uncertainty = gauss_newton_uncertainty(data, fit);
    t.add(found, law, 6 * 1e9 * 2e10 * beyond);
  }
  return t;
}

// 240 runs within a factor 8 of the best size, noise with the tails of Student's t of 3 df.
Tally refits(double flops, unsigned seed) {
  const PlanningLaw law = truth(1.8172, 477.8, .3473, 2143, .3672);
  std::mt19937_64 random(seed);
  std::student_t_distribution<double> noise(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  Tally t;
  for (int i = 0; i < simulations(); ++i) {
    std::vector<Observation> rows;
    while (rows.size() < 240) {
      const double c = 6e18 * std::pow(2000.0, uniform(random));
      const double n = plan_of_compute(law, c).n * std::pow(64.0, uniform(random) - .5);
      const double d = c / (6 * n);
      rows.push_back({n, d, law.loss(n, d) * std::exp(.004 * noise(random)), 1});
    }
    const FitData data(rows);
    const FitResult fit = fit_robust(chinchilla_law(), data, {.huber_delta = 1e-3});
    PlanningLaw found = law_of(data, fit);
    LawUncertainty known;
    known.centre = data.centre;
    known.reach = normal_quantile(.975);
    const auto lower = covariance_of(bootstrapped(data, fit, kReplicates, 1).fitted);
    std::size_t next = 0;
    for (std::size_t a = 0; a < 5; ++a) {
      for (std::size_t b = 0; b <= a; ++b)
        known.covariance[a][b] = known.covariance[b][a] = lower[next++];
    }
    found.uncertainty = known;
    t.add(found, law, flops);
  }
  return t;
}

TEST(PlanningCoverage, OfBandsOfAPlan) {
  std::printf("| design | N* | L* | no band |\n|---|---|---|---|\n");
  struct Design {
    int sizes, horizons;
    double noise, beyond;
  };
  unsigned seed = 501;
  for (const Design& d :
       {Design{5, 5, .003, 10}, Design{5, 5, .01, 10}, Design{5, 5, .003, 1000},
        Design{4, 4, .003, 10}, Design{6, 6, .003, 10}, Design{8, 8, .003, 1000}}) {
    const Tally t = own_fits(d.sizes, d.horizons, d.noise, d.beyond, seed++);
    char what[120];
    std::snprintf(what, sizeof(what), "%d sizes x %d D; noise %g%%; C x %g", d.sizes, d.horizons,
                  100 * d.noise, d.beyond);
    print(what, t);
    EXPECT_TRUE(covers(t.size, t.fitted, .90, .98)) << what;
    EXPECT_TRUE(covers(t.loss, t.fitted, .90, .98)) << what;
  }
  for (const double flops : {1e22, 5.76e23, 1e26}) {
    const Tally t = refits(flops, seed++);
    char what[120];
    std::snprintf(what, sizeof(what), "240 runs, Huber 1e-3, bootstrap; C %.3g", flops);
    print(what, t);
    EXPECT_TRUE(covers(t.size, t.fitted, .90, .98)) << what;
    EXPECT_TRUE(covers(t.loss, t.fitted, .90, .98)) << what;
  }
}

}  // namespace
}  // namespace scalelaw
