// How often the ranking of forms is right where the true one is known. Prints the tables of
// docs/studies/ranking.md; SCALELAW_RANKING_SIMULATIONS=2000 repeats them at their full size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "analysis/ranking/rank_forms.h"
#include "tests/analysis/coverage_share.h"

namespace scalelaw {
namespace {

constexpr int kEveryday = 60;

int simulations() {
  const char* asked = std::getenv("SCALELAW_RANKING_SIMULATIONS");
  return asked ? std::atoi(asked) : kEveryday;
}

struct Place {
  double x = 0, y = 0;  // ln N and ln D from the middle
};

// Over this many decades of each.
std::vector<Place> grid(int sizes, int horizons, double decades) {
  const double width = decades * std::log(10);
  std::vector<Place> places;
  for (int a = 0; a < sizes; ++a) {
    for (int b = 0; b < horizons; ++b) {
      places.push_back({width * (double(a) / (sizes - 1) - .5),
                        horizons > 1 ? width * (double(b) / (horizons - 1) - .5) : 0});
    }
  }
  return places;
}

// Budgets over this many decades of N D, sizes a factor 2 apart about the best.
std::vector<Place> iso_flop(int budgets, int sizes, double decades) {
  std::vector<Place> places;
  for (int b = 0; b < budgets; ++b) {
    const double ln_c = decades * std::log(10) * (double(b) / (budgets - 1) - .5);
    for (int s = 0; s < sizes; ++s) {
      const double x = ln_c / 2 + std::log(2) * (s - (sizes - 1) / 2.0);
      places.push_back({x, ln_c - x});
    }
  }
  return places;
}

// 1.8 + 1.2 (e^-(.34 x / g) + e^-(.37 y / g))^g: each term alone falls as fast whatever g.
std::function<double(Place)> outer(double g) {
  return [g](Place at) {
    return 1.8 + 1.2 * std::pow(std::exp(-.34 / g * at.x) + std::exp(-.37 / g * at.y), g);
  };
}

struct Design {
  std::string what;
  FormScope scope;
  std::vector<Place> places;
  double noise;  // sd of ln L
  std::string truth;
  std::function<double(Place)> loss;
  double right = .8;  // share in which the true form is to be taken
};

struct Tally {
  int right = 0, worse = 0, richer = 0, unranked = 0;
  double told_apart = 0;  // forms other than the true one that were called worse
};

Tally tally(const Design& design, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Tally t;
  for (int i = 0; i < simulations(); ++i) {
    std::vector<Observation> rows;
    for (const Place& at : design.places) {
      const double loss = design.loss(at) * std::exp(design.noise * normal(random));
      rows.push_back({1e8 * std::exp(at.x), 2e9 * std::exp(at.y), loss, 1});
    }
    const Ranking ranking = rank_forms(rows, design.scope);
    if (!ranking.best) {
      ++t.unranked;
      continue;
    }
    const RivalForm& best = *ranking.forms[*ranking.best].form;
    t.right += best.id() == design.truth;
    t.richer += best.simpler == design.truth;
    int told = 0;
    for (const RankedForm& form : ranking.forms) {
      if (form.form->id() == design.truth) {
        t.worse += form.worse || !form.why_not.empty();
      } else {
        told += form.worse || !form.why_not.empty();
      }
    }
    t.told_apart += told / double(ranking.forms.size() - 1);
  }
  return t;
}

void print_and_judge(const std::vector<Design>& designs, unsigned seed) {
  const int n = simulations();
  std::printf(
      "| design | true form | taken | called worse | a richer one taken | others called worse |\n"
      "|---|---|---|---|---|---|\n");
  for (const Design& design : designs) {
    const Tally t = tally(design, seed++);
    std::printf("| %s | %s | %s | %s | %.3f | %.2f |\n", design.what.c_str(), design.truth.c_str(),
                share(t.right, n).c_str(), share(t.worse, n).c_str(), double(t.richer) / n,
                t.told_apart / n);
    std::fflush(stdout);
    EXPECT_EQ(t.unranked, 0) << design.what;
    EXPECT_TRUE(covers(t.right, n, design.right, 1)) << design.what;
    EXPECT_TRUE(covers(t.worse, n, 0, .05)) << design.what;
  }
}

TEST(RankingSimulation, OfSizeAndData) {
  const auto kaplan = [](Place at) {
    return 2.8 * std::pow(.5 * std::exp(-.74 * at.x) + .5 * std::exp(-at.y), .103);
  };
  constexpr FormScope scope = FormScope::kSizeAndData;
  const std::vector<Place> five = grid(5, 5, 2), six = grid(6, 6, 2), eight = grid(8, 8, 4);
  print_and_judge(
      {{"6 x 6, two decades of N and D; noise .3%", scope, six, .003, "chinchilla", outer(1)},
       {"the same, g .6", scope, six, .003, "generalised", outer(.6)},
       {"the same, g .8", scope, six, .003, "generalised", outer(.8)},
       {"5 x 5, two decades of N and D; noise .3%", scope, five, .003, "chinchilla", outer(1)},
       {"the same, g .6", scope, five, .003, "generalised", outer(.6)},
       {"6 x 6, two decades of N and D; noise 1%", scope, six, .01, "chinchilla", outer(1)},
       {"the same, g .6", scope, six, .01, "generalised", outer(.6), .5},
       {"8 x 8, four decades of N and D; noise .3%", scope, eight, .003, "chinchilla", outer(1)},
       {"the same, g .6", scope, eight, .003, "generalised", outer(.6)},
       {"6 x 6, two decades of N and D, Kaplan's form; noise .3%", scope, six, .003, "kaplan",
        kaplan}},
      301);
}

TEST(RankingSimulation, OfBudgets) {
  constexpr FormScope scope = FormScope::kSizeAndData;
  const std::vector<Place> five = iso_flop(5, 7, 4), seven = iso_flop(7, 7, 4);
  print_and_judge({{"5 budgets over four decades x 7 sizes; noise .3%", scope, five, .003,
                    "chinchilla", outer(1)},
                   {"the same, g .6", scope, five, .003, "generalised", outer(.6)},
                   {"7 budgets over four decades x 7 sizes; noise .3%", scope, seven, .003,
                    "chinchilla", outer(1)},
                   {"the same, g .6", scope, seven, .003, "generalised", outer(.6)}},
                  501);
}

TEST(RankingSimulation, OfSize) {
  constexpr FormScope scope = FormScope::kSize;
  const std::vector<Place> ten = grid(10, 1, 3), twenty = grid(20, 1, 4);
  const auto power = [](Place at) { return 3 * std::exp(-.08 * at.x); };
  const auto floor = [](Place at) { return 1.8 + 1.2 * std::exp(-.3 * at.x); };
  const auto logarithm = [](Place at) { return 3 - .25 * at.x; };
  print_and_judge({{"10 sizes, three decades; noise .3%", scope, ten, .003, "power", power},
                   {"the same with a floor", scope, ten, .003, "power_floor", floor},
                   {"the same, a logarithm", scope, ten, .003, "logarithm", logarithm},
                   {"20 sizes, four decades; noise .3%", scope, twenty, .003, "power", power},
                   {"the same with a floor", scope, twenty, .003, "power_floor", floor},
                   {"the same, a logarithm", scope, twenty, .003, "logarithm", logarithm}},
                  401);
}

}  // namespace
}  // namespace scalelaw
