// How often the 95% interval of a slope difference holds the true one, over designs as small as a
// first study's: two arms over two decades of N, few seeds. Prints the table of
// docs/studies/coverage.md.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "analysis/curved_slopes.h"
#include "analysis/slope_difference.h"
#include "tests/analysis/coverage_share.h"

namespace scalelaw {
namespace {

constexpr int kSimulations = 2000;

struct Design {
  std::string what;
  std::vector<int> seeds;  // of each size
  // Standard deviations in ln L by arm (0, 1) and place of the size in [0, 1].
  std::function<double(int, double)> seed_sd, size_sd;
  double floor = 0;  // both arms share L = floor + N^-slope: the straight line is a wrong form
  std::vector<int> seeds_b = {};  // where the second arm's differ
  // Least shares of slopes and of parabolas at the largest size, whose labels say so below .93.
  double lowest = .93, lowest_at_end = .93;
  double lowest_strict = .98;  // of slopes at a nominal 99%
};

const std::vector<int> kQuickstart = {1, 1, 2, 1, 1, 2, 1, 1};
const std::vector<int> kOneSeed(8, 1), kTwoSeeds(8, 2), kFiveSizes = {1, 2, 1, 2, 1};
std::vector<int> one_seed_at(int sizes) {
  return std::vector<int>(static_cast<std::size_t>(sizes), 1);
}
const std::vector<int> kManyAtOne = {1, 1, 1, 8, 1, 1, 1, 1};

std::function<double(int, double)> constant(double sd) {
  return [sd](int, double) { return sd; };
}

std::vector<SizeCell> simulate(const Design& d, int arm, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  std::vector<SizeCell> cells;
  const std::vector<int>& seeds = arm == 1 && !d.seeds_b.empty() ? d.seeds_b : d.seeds;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(seeds.size() - 1);
    SizeCell c;
    c.n = 1.5e3 * std::pow(10.0, 2 * place);
    c.recipe_hash = std::to_string(arm) + "/" + std::to_string(i);
    const double law =
        d.floor > 0 ? std::log(d.floor + 12 * std::pow(c.n, -.3)) : 1 - .1 * std::log(c.n);
    const double of_size = d.size_sd(arm, place) * normal(random);
    for (int s = 0; s < seeds[i]; ++s) {
      c.ln_losses.push_back(law + of_size + d.seed_sd(arm, place) * normal(random));
      c.content_hash.push_back(c.recipe_hash + "/" + std::to_string(s));
      c.mean_ln_loss += c.ln_losses.back() / seeds[i];
    }
    cells.push_back(std::move(c));
  }
  return cells;
}

struct Tally {
  int covered = 0, covered_strictly = 0, covered_unweighted = 0, covered_arm = 0;
  int curved = 0, centre = 0, end = 0;  // parabolas: taken; slopes that cover, at the largest size
  double squared_error = 0, squared_error_unweighted = 0;
};

Comparison difference(const std::vector<std::vector<SizeCell>>& cells) {
  std::vector<ArmLaws> laws(2);
  for (std::size_t k = 0; k < 2; ++k) {
    laws[k].cells = cells[k];
    laws[k].power = fit_line_of(cells[k], {}, .95);
  }
  Comparison c;
  compare_slopes(laws[0], laws[1], false, c);
  c.curved =
      compare_curved_slopes(laws[0], laws[1], false, cells[0].front().n, cells[0].back().n, .95);
  return c;
}

Tally tally(const Design& design, unsigned seed) {
  std::mt19937_64 random(seed);
  Tally t;
  for (int i = 0; i < kSimulations; ++i) {
    std::vector<std::vector<SizeCell>> cells = {simulate(design, 0, random),
                                                simulate(design, 1, random)};
    const Comparison unweighted = difference(cells);  // variances are still 1
    weigh_cells(cells);
    const Comparison c = difference(cells);
    t.covered += c.interval.contains(0);
    t.covered_strictly +=
        std::abs(c.difference) <= student_t_quantile(.995, c.df) * c.standard_error;
    t.covered_unweighted += unweighted.interval.contains(0);
    t.curved += c.curved.status == FitStatus::kConverged;
    t.centre += c.curved.centre.interval.contains(0);
    t.end += c.curved.high.interval.contains(0);
    t.covered_arm += fit_line_of(cells[0], {}, .95).slope_interval.contains(.1);
    t.squared_error += c.difference * c.difference;
    t.squared_error_unweighted += unweighted.difference * unweighted.difference;
  }
  return t;
}

TEST(Coverage, OfSlopeDifferencesOnSmallDesigns) {
  const auto none = constant(0);
  const auto growing = [](int, double place) { return .002 + .004 * place; };
  const auto uneven = [](int arm, double) { return arm == 0 ? .002 : .006; };
  const auto noisy_first = [](int arm, double) { return arm == 0 ? .006 : .002; };
  const auto twice_first = [](int arm, double) { return arm == 0 ? .004 : .002; };
  const std::vector<Design> designs = {
      {"seed noise .5%; two seeds at two sizes", kQuickstart, constant(.005), none},
      {"seed noise .5%; one seed", kOneSeed, constant(.005), none},
      {"seed noise .5%; two seeds everywhere", kTwoSeeds, constant(.005), none},
      {"seed noise .5%; eight seeds at one size", kManyAtOne, constant(.005), none},
      {"seed noise .5%; five sizes, two seeds at two", kFiveSizes, constant(.005), none},
      {"size noise .5%, seeds .1%; two seeds at two sizes", kQuickstart, constant(.001),
       constant(.005)},
      {"size noise .5%, seeds .1%; two seeds everywhere", kTwoSeeds, constant(.001),
       constant(.005)},
      {"size noise .5%, seeds .1%; eight seeds at one size", kManyAtOne, constant(.001),
       constant(.005)},
      {"size and seed noise .4% each; two seeds at two sizes", kQuickstart, constant(.004),
       constant(.004)},
      {"seed noise .2% to .6%, growing with N; two seeds at two sizes",
       kQuickstart,
       growing,
       none,
       0,
       {},
       .93,
       .92},
      {"seed noise .2% to .6%, growing with N; two seeds everywhere",
       kTwoSeeds,
       growing,
       none,
       0,
       {},
       .93,
       .92},
      {"seed noise .2% in one arm, .6% in the other; two seeds at two sizes", kQuickstart, uneven,
       none},
      {"size noise .2% in one arm, .6% in the other; one seed", kOneSeed, none, uneven},
      {"both arms bend (a floor); seed noise .5%; two seeds at two sizes", kQuickstart,
       constant(.005), none, 1.5},
      {"6 sizes at .6%, 8 at .2%", one_seed_at(6), noisy_first, none, 0, kOneSeed},
      {"5 sizes at .6%, 8 at .2%", one_seed_at(5), noisy_first, none, 0, kOneSeed},
      {"5 sizes at .2%, 8 at .6%", one_seed_at(5), uneven, none, 0, kOneSeed},
      {"5 and 8 sizes at .5%", one_seed_at(5), constant(.005), none, 0, kOneSeed},
      {"4 sizes at .6%, 12 at .2%", one_seed_at(4), noisy_first, none, 0, one_seed_at(12), .92, 0,
       .965},
      {"3 sizes at .6%, 8 at .2%", one_seed_at(3), noisy_first, none, 0, kOneSeed, .88, 0, .935},
      {"3 and 12 sizes at .5%", one_seed_at(3), constant(.005), none, 0, one_seed_at(12), .91, 0,
       .96},
      {"3 sizes at .4%, 20 at .2%", one_seed_at(3), twice_first, none, 0, one_seed_at(20), .876, 0,
       .925},
      {"4 sizes at .4%, 20 at .2%", one_seed_at(4), twice_first, none, 0, one_seed_at(20), .92, 0,
       .965},
  };
  std::printf(
      "| design | weighted | at 99%% | unweighted | efficiency | one arm's slope | parabolas, "
      "centre | parabolas, largest size |\n|---|---|---|---|---|---|---|---|\n");
  unsigned seed = 1;
  for (const Design& design : designs) {
    const Tally t = tally(design, seed++);
    const bool curved = t.curved == kSimulations && design.floor == 0;
    std::printf("| %s | %s | %s | %s | %.2f | %s | %s | %s |\n", design.what.c_str(),
                share(t.covered, kSimulations).c_str(),
                share(t.covered_strictly, kSimulations).c_str(),
                share(t.covered_unweighted, kSimulations).c_str(),
                t.squared_error_unweighted / t.squared_error,
                design.floor > 0 ? "-" : share(t.covered_arm, kSimulations).c_str(),
                curved ? share(t.centre, kSimulations).c_str() : "-",
                curved ? share(t.end, kSimulations).c_str() : "-");
    // A bend that both arms share widens the residuals, not the error of the difference.
    const double highest = design.floor == 0 ? .97 : 1;
    EXPECT_TRUE(covers(t.covered, kSimulations, design.lowest, highest)) << design.what;
    EXPECT_TRUE(covers(t.covered_strictly, kSimulations, design.lowest_strict, 1)) << design.what;
    if (design.floor == 0) {
      EXPECT_TRUE(covers(t.covered_arm, kSimulations)) << design.what;
    }
    if (curved) {
      EXPECT_TRUE(covers(t.centre, kSimulations)) << design.what;
      EXPECT_TRUE(covers(t.end, kSimulations, design.lowest_at_end)) << design.what;
    }
  }
}

}  // namespace
}  // namespace scalelaw
