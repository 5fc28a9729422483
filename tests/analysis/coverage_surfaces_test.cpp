// How often the interval of a run that is not there yet holds its loss, by L(N, D). Prints a table
// of docs/studies/coverage.md; SCALELAW_COVERAGE_SIMULATIONS=2000 repeats it at its full size.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "analysis/predict/run_prediction.h"
#include "analysis/predict/surface_fit.h"
#include "tests/analysis/coverage_tally.h"

namespace scalelaw {
namespace {

// Where a recipe lies: from 0 to 1 over two decades of N and 1.7 of D.
struct Place {
  double n = 0, d = 0;
  int seeds = 1;
};

struct Grid {
  std::string what;
  double e, sd;
  std::vector<Place> recipes;
  double n_beyond, d_beyond;  // the run's N and D over the largest
  int known_df = 0;           // of the noise between seeds, from other arms
  double highest = .97;       // share that may be covered
  double run_d = 1;           // the place of the D that d_beyond is over
  double none = .01;          // share that may have no interval
};

std::vector<Place> grid(int sizes, int horizons, int every_with_two_seeds = 1000) {
  std::vector<Place> recipes;
  for (int a = 0; a < sizes; ++a) {
    for (int b = 0; b < horizons; ++b) {
      const int seeds = 1 + ((a * horizons + b + 1) % every_with_two_seeds == 0);
      recipes.push_back({double(a) / (sizes - 1), double(b) / (horizons - 1), seeds});
    }
  }
  return recipes;
}

// Of a grid a band about N D = const.
std::vector<Place> band(int sizes, int horizons) {
  std::vector<Place> recipes = grid(sizes, horizons);
  std::erase_if(recipes, [](const Place& p) { return std::abs(p.n + p.d - 1) > .51; });
  return recipes;
}

// Of three sizes at three D those of the smallest budgets, six of them, and then others.
std::vector<Place> corner(const std::vector<Place>& more = {}) {
  std::vector<Place> recipes = grid(3, 3);
  std::erase_if(recipes, [](const Place& p) { return p.n + p.d > 1.01; });
  recipes.insert(recipes.end(), more.begin(), more.end());
  return recipes;
}

constexpr double kOwnD = .5;

// Sizes at one D, the smallest at half of it and twice it too, the next at more D.
std::vector<Place> ladder_and_others(int sizes, int others = 2) {
  const double doubled = std::log(2) / std::log(50);
  std::vector<Place> recipes;
  for (int a = 0; a < sizes; ++a) recipes.push_back({double(a) / (sizes - 1), kOwnD});
  for (int i = 0; i < others; ++i) {
    const double by = (i % 2 == 0 ? -1 : 1) * (1 + i / 2) * doubled;
    recipes.push_back({double(i / 2) / (sizes - 1), kOwnD + by});
  }
  return recipes;
}

std::vector<Place> with_pairs(std::vector<Place> recipes, std::size_t pairs) {
  for (std::size_t i = 0; i < pairs; ++i) recipes[i].seeds = 2;
  return recipes;
}

void draw_surface(const Grid& design, std::mt19937_64& random, PredictionTally& tally) {
  std::normal_distribution<double> normal;
  const auto ln_loss = [&](double n, double d) {
    return std::log(design.e + 480 * std::pow(n * 1e3, -.347) + 2100 * std::pow(d * 1e3, -.367)) +
           design.sd * normal(random);
  };
  const auto d_at = [](double place) { return 2e5 * std::pow(50.0, place); };
  RunTable table;
  for (const Place& place : design.recipes) {
    const double n = 1e4 * std::pow(100.0, place.n), d = d_at(place.d);
    add_recipe(table, n, d, place.seeds, [&] { return ln_loss(n, d); });
  }
  const NewRun run{1e6 * design.n_beyond, d_at(design.run_d) * design.d_beyond};
  const Selection selection = ladder_options().selection;
  const double loss = std::exp(ln_loss(run.n, run.d));
  const SeedNoise noise =
      with_seeds_elsewhere(pooled_seed_noise({size_cells(table, "a", selection)}), design.known_df,
                           [&] { return design.sd * normal(random); });
  const RunPrediction found = predict_on_surface(table, selection, noise, run, .95);
  if (found.missing.empty()) {
    EXPECT_EQ(found.why.find("held the loss") != std::string::npos, noise.df > 0) << found.why;
  }
  tally.add(found, loss, fit_surface(table, selection, {}).best.objective, noise);
}

std::vector<Grid> surface_designs() {
  std::vector<Grid> designs = {
      {"4 sizes x 4 D; noise .3%; N x 3, D x 3", 1.7, .003, grid(4, 4), 3, 3},
      {"4 sizes x 4 D; noise 1%; N x 3, D x 3", 1.7, .01, grid(4, 4), 3, 3},
      {"6 sizes x 5 D; noise .5%; N x 10, D x 10", 1.7, .005, grid(6, 5), 10, 10},
      {"6 sizes x 6 D about N D constant; noise .5%; N x 3, D x 3", 1.7, .005, band(6, 6), 3, 3},
      {"4 sizes x 4 D, two seeds at four; noise .5%; N x 3, D x 3", 1.7, .005, grid(4, 4, 4), 3, 3},
      {"3 sizes x 3 D; noise .3%; N x 3, D x 3", 1.7, .003, grid(3, 3), 3, 3},
      {"5 sizes x 4 D; no floor; noise .5%; N x 3, D x 10", 0, .005, grid(5, 4), 3, 10},
  };
  const auto few = [&](const std::string& what, std::vector<Place> recipes, int df = 0,
                       double beyond = 3, double run_d = 1) {
    designs.push_back({what, 1.7, .003, std::move(recipes), 3, beyond, df, 1, run_d});
  };
  const std::vector<Place> one = {{1, .5}}, two = {{1, .5}, {.5, 1}};
  few("6 of 3 sizes x 3 D; noise .3%; N x 3, D x 3", corner());
  few("7 of 3 sizes x 3 D; noise .3%; N x 3, D x 3", corner(one));
  few("8 of 3 sizes x 3 D; noise .3%; N x 3, D x 3", corner(two));
  few("4 sizes at the run's D, 2 runs at others; noise .3%; N x 3", ladder_and_others(4), 0, 1,
      kOwnD);
  designs.back().none = .9;
  few("4 sizes at the run's D, 3 runs at others; noise .3%; N x 3", ladder_and_others(4, 3), 0, 1,
      kOwnD);
  few("4 sizes at the run's D, 4 runs at others; noise .3%; N x 3", ladder_and_others(4, 4), 0, 1,
      kOwnD);
  few("6 of 3 x 3; seeds .3%, 1 df; N x 3, D x 3", with_pairs(corner(), 1));
  few("6 of 3 x 3; seeds .3%, 2 df; N x 3, D x 3", with_pairs(corner(), 2));
  few("6 of 3 x 3; seeds .3%, 16 df; N x 3, D x 3", corner(), 16);
  few("7 of 3 x 3; seeds .3%, 1 df; N x 3, D x 3", with_pairs(corner(one), 1));
  few("7 of 3 x 3; seeds .3%, 2 df; N x 3, D x 3", with_pairs(corner(one), 2));
  few("7 of 3 x 3; seeds .3%, 4 df; N x 3, D x 3", with_pairs(corner(one), 4));
  few("7 of 3 x 3; seeds .3%, 16 df; N x 3, D x 3", corner(one), 16);
  few("3 sizes x 3 D; seeds .3%, 2 df; N x 3, D x 3", with_pairs(grid(3, 3), 2));
  few("4 sizes at the run's D, 3 runs at others; seeds .3%, 2 df; N x 3",
      with_pairs(ladder_and_others(4, 3), 2), 0, 1, kOwnD);
  return designs;
}

TEST(Coverage, OfPredictionsOnASurface) {
  std::printf(
      "| design | interval | smallest residuals | smallest beside the seeds | high over low, less "
      "1 | none |\n|---|---|---|---|---|---|\n");
  unsigned seed = 551;
  const int n = prediction_simulations();
  for (const Grid& design : surface_designs()) {
    std::mt19937_64 random(seed++);
    PredictionTally tally;
    for (int i = 0; i < n; ++i) draw_surface(design, random, tally);
    std::printf("| %s | %s | %s | %s | %.3f | %.3f |\n", design.what.c_str(),
                share(tally.covered, n).c_str(),
                share(tally.covered_of_small_residuals(), n / 4).c_str(),
                tally.small_ratio_share().c_str(), tally.mean_width(), double(tally.missing) / n);
    std::fflush(stdout);
    EXPECT_TRUE(covers(tally.covered, n - tally.missing, .93, design.highest)) << design.what;
    EXPECT_LE(tally.missing, design.none * n) << design.what;
    if (tally.knows_noise()) {
      EXPECT_TRUE(covers(tally.covered_of_small_ratio(), n / 4, .93, 1)) << design.what;
    }
  }
}

}  // namespace
}  // namespace scalelaw
