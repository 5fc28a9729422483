// How often the other intervals of a report hold the truth: crossings, what the test text adds, the
// floor E with alpha, N_c, and the bootstraps. Prints tables of docs/studies/coverage.md;
// SCALELAW_COVERAGE_SIMULATIONS=2000 repeats them at their full size.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "analysis/equal_exponents.h"
#include "tests/analysis/coverage_share.h"
#include "tests/analysis/ladder.h"
#include "tests/analysis/window_ladder.h"

namespace scalelaw {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int kEveryday = 200;  // seven times as slow, and looking for faults, not for shares
#else
constexpr int kEveryday = 1000;
#endif

int simulations() {
  const char* asked = std::getenv("SCALELAW_COVERAGE_SIMULATIONS");
  return asked ? std::atoi(asked) : kEveryday;
}

// Four binomial standard deviations below a share.
double at_least(double share, int n) {
  return (share - 4 * std::sqrt(share * (1 - share) / n)) * n;
}

struct CrossingDesign {
  std::string what;
  double place;  // of the crossing, ln N from the centre; the sizes reach from -2.3 to 2.3
  Ladder a, b;
  WindowNoise noise;
};

struct CrossingTally {
  int difference = 0, crossing = 0, bounded = 0, slope = 0, band = 0, n_c = 0, n_c_bounded = 0;
};

CrossingTally tally(const CrossingDesign& design, unsigned seed) {
  std::mt19937_64 random(seed);
  CrossingTally t;
  for (int i = 0; i < simulations(); ++i) {
    Ladder a = design.a;
    const double difference = a.slope - design.b.slope;
    a.ln_loss = design.b.ln_loss + difference * design.place;
    const WindowDraws text = draw_text(design.noise, random);
    std::vector<ArmLaws> arms = {draw_arm(a, design.noise, text, 1, "a", random),
                                 draw_arm(design.b, design.noise, text, 0, "b", random)};
    fit_ladders(arms);
    Comparison c;
    compare_slopes(arms[0], arms[1], true, c);
    t.difference += c.interval.contains(difference);
    const double n = std::exp(kLadderCentre + design.place);
    t.crossing += holds(c.crossing, n);
    t.bounded += c.crossing.kind == CrossingSet::Kind::kInterval;
    const PowerLawFit& line = arms[0].power;
    t.slope += line.slope_interval.contains(a.slope);
    const double largest = arms[0].cells.back().n;
    const double truth = a.ln_loss - a.slope * (std::log(largest) - kLadderCentre);
    t.band += std::abs(line.ln_loss_at(largest) - truth) <
              student_t_quantile(.975, line.interval_df) * line.standard_error_at(largest);
    t.n_c_bounded += line.n_c_interval.has_value();
    t.n_c += !line.n_c_interval ||
             line.n_c_interval->contains(std::exp(kLadderCentre + a.ln_loss / a.slope));
  }
  return t;
}

TEST(Coverage, OfCrossingsAndOfWhatTheTestTextAdds) {
  const Ladder steep{.slope = .11}, flat{.slope = .088};
  const Ladder sizes_a{.slope = .11, .seed_sd = .004, .size_sd = .004},
      sizes_b{.slope = .088, .seed_sd = .004, .size_sd = .004};
  const Ladder few_a{.slope = .11, .seeds = std::vector<int>(5, 1), .seed_sd = .006},
      many_b{.slope = .088, .seeds = std::vector<int>(8, 1), .seed_sd = .002};
  const Ladder quiet_a{.slope = .11, .seed_sd = .002}, quiet_b{.slope = .088, .seed_sd = .002};
  // Over 1,024 windows sds of .01 in common, .003 in level, .0015 in slope, .003 of a size's own.
  const WindowNoise windows{.common = .32, .level = .1, .tilt = .05, .correlation = .5, .own = .1};
  WindowNoise documents = windows;
  documents.document = 8;
  for (double* sd : {&documents.common, &documents.level, &documents.tilt}) *sd /= std::sqrt(8.0);
  WindowNoise silent;
  silent.windows = 0;
  const std::vector<CrossingDesign> designs = {
      {"seed noise .5%; crossing at the centre", 0, steep, flat, silent},
      {"seed noise .5%; crossing at the largest size", 2.3, steep, flat, silent},
      {"seed noise .5%; crossing a decade beyond", 4.6, steep, flat, silent},
      {"size and seed noise .4% each; crossing at the largest size", 2.3, sizes_a, sizes_b, silent},
      {"seed noise 1%, slopes .11 and .10; crossing at the largest size",
       2.3,
       {.slope = .11, .seed_sd = .01},
       {.slope = .10, .seed_sd = .01},
       silent},
      {"seed noise .2% and a test text; crossing at the centre", 0, quiet_a, quiet_b, windows},
      {"seed noise .2% and a test text; crossing at the largest size", 2.3, quiet_a, quiet_b,
       windows},
      {"the same, documents of 8 windows", 2.3, quiet_a, quiet_b, documents},
      {"seed noise .5% and a test text; crossing at the largest size", 2.3, steep, flat, windows},
      {"5 sizes at .6%, 8 at .2%; crossing at the largest size", 2.3, few_a, many_b, silent},
      {"the same with a test text", 2.3, few_a, many_b, windows},
  };
  std::printf(
      "| design | slope difference | crossing | bounded | one arm's slope | its band at the "
      "largest "
      "size | N_c |\n|---|---|---|---|---|---|---|\n");
  unsigned seed = 101;
  const int n = simulations();
  for (const CrossingDesign& design : designs) {
    const CrossingTally t = tally(design, seed++);
    std::printf("| %s | %s | %s | %.2f | %s | %s | %s |\n", design.what.c_str(),
                share(t.difference, n).c_str(), share(t.crossing, n).c_str(), double(t.bounded) / n,
                share(t.slope, n).c_str(), share(t.band, n).c_str(), share(t.n_c, n).c_str());
    for (const int covered : {t.difference, t.crossing, t.slope, t.band, t.n_c}) {
      EXPECT_TRUE(covers(covered, n)) << design.what;
    }
  }
}

struct FloorDesign {
  std::string what;
  double e, sd;
  int sizes;
};

TEST(Coverage, OfTheFloorAndItsExponent) {
  std::printf(
      "| design | set of E | bounded below | above | alpha over that set | given |\n"
      "|---|---|---|---|---|---|\n");
  const std::vector<FloorDesign> designs = {
      {"E 1.6; noise .2%; eight sizes", 1.6, .002, 8},
      {"E 1.6; noise .5%; eight sizes", 1.6, .005, 8},
      {"E 1.6; noise 1%; eight sizes", 1.6, .01, 8},
      {"E 1.6; noise .5%; five sizes", 1.6, .005, 5},
      {"E 0; noise .5%; eight sizes", 0, .005, 8},
  };
  unsigned seed = 201;
  const int n = simulations();
  for (const FloorDesign& design : designs) {
    std::mt19937_64 random(seed++);
    std::normal_distribution<double> normal;
    const double alpha = design.e > 0 ? .26 : .1;
    int covered = 0, low = 0, high = 0, covered_alpha = 0, given = 0;
    for (int i = 0; i < n; ++i) {
      std::vector<SizeCell> cells(static_cast<std::size_t>(design.sizes));
      for (std::size_t k = 0; k < cells.size(); ++k) {
        cells[k].n = 1.5e3 * std::pow(10.0, 2.0 * double(k) / (design.sizes - 1));
        const double loss = design.e + (3.6 - design.e) * std::pow(cells[k].n / 1.5e3, -alpha);
        cells[k].ln_losses = {cells[k].mean_ln_loss = std::log(loss) + design.sd * normal(random)};
      }
      const FloorFit fit = fit_floor(cells, .95, {.replicates = 0});
      const ProfileInterval& set = fit.floor;
      if (!has_curve(set.status)) continue;  // no set: counts as a miss
      covered +=
          (!set.low_bounded || set.low <= design.e) && (!set.high_bounded || design.e <= set.high);
      low += set.low_bounded;
      high += set.high_bounded;
      given += fit.alpha_over_set.has_value();
      covered_alpha += fit.alpha_over_set && fit.alpha_over_set->contains(alpha);
    }
    std::printf("| %s | %s | %.2f | %.2f | %s | %.2f |\n", design.what.c_str(),
                share(covered, n).c_str(), double(low) / n, double(high) / n,
                given ? share(covered_alpha, given).c_str() : "-", double(given) / n);
    // Below E = 0 there is no tail to miss.
    EXPECT_TRUE(covers(covered, n, .93, design.e > 0 ? .97 : .98)) << design.what;
    // Where the set reaches E = 0 alpha's end is a point estimate, without an error of its own.
    if (design.e > 0) {
      EXPECT_TRUE(covers(covered_alpha, given)) << design.what;
    }
  }
}

struct FloorPair {
  std::string what;
  double e_a, e_b, alpha, sd_a, sd_b;
  int sizes_a;
  double least, most;  // that may be rejected: the interval of what 2,000 simulations gave
};

ArmLaws draw_floor_arm(double e, double alpha, double sd, int sizes, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  ArmLaws arm;
  arm.power.sizes = sizes;
  arm.cells.resize(static_cast<std::size_t>(sizes));
  for (std::size_t k = 0; k < arm.cells.size(); ++k) {
    arm.cells[k].n = 1.5e3 * std::pow(10.0, 2.0 * double(k) / (sizes - 1));
    const double loss = e + (3.6 - e) * std::pow(arm.cells[k].n / 1.5e3, -alpha);
    arm.cells[k].mean_ln_loss = std::log(loss) + sd * normal(random);
  }
  return arm;
}

TEST(Coverage, OfTheTestOfEqualExponentsWithFloors) {
  std::printf("| design | rejected at 5%% | tested |\n|---|---|---|\n");
  const std::vector<FloorPair> designs = {
      {"E 1.6 and 1.5, alpha .26; noise .3%; 8 and 8 sizes", 1.6, 1.5, .26, .003, .003, 8, .052,
       .074},
      {"no floors, alpha .1; noise .3%; 8 and 8 sizes", 0, 0, .1, .003, .003, 8, .007, .017},
      {"E 1.6 and 0, alpha .26; noise .3%; 8 and 8 sizes", 1.6, 0, .26, .003, .003, 8, .034, .052},
      {"E 1.6 and 1.5, alpha .26; noise .6% and .2%; 5 and 8 sizes", 1.6, 1.5, .26, .006, .002, 5,
       .139, .171},
  };
  unsigned seed = 401;
  const int n = simulations();
  for (const FloorPair& design : designs) {
    std::mt19937_64 random(seed++);
    int rejected = 0, tested = 0;
    for (int i = 0; i < n; ++i) {
      const ArmLaws a =
          draw_floor_arm(design.e_a, design.alpha, design.sd_a, design.sizes_a, random);
      const ArmLaws b = draw_floor_arm(design.e_b, design.alpha, design.sd_b, 8, random);
      const FloorComparison c = compare_with_floors(a, b);
      tested += c.status == FitStatus::kConverged;
      rejected += c.status == FitStatus::kConverged && c.p < .05;
    }
    std::printf("| %s | %s | %.2f |\n", design.what.c_str(), share(rejected, n).c_str(),
                double(tested) / n);
    EXPECT_TRUE(covers(rejected, n, design.least, design.most)) << design.what;
    EXPECT_GT(tested, .9 * n) << design.what;
  }
}

TEST(Coverage, OfTheBootstraps) {
  if (!std::getenv("SCALELAW_COVERAGE_SIMULATIONS")) {
    GTEST_SKIP() << "minutes; runs where SCALELAW_COVERAGE_SIMULATIONS is set";
  }
  std::printf("| design | slope, Huber on runs | E | alpha |\n|---|---|---|---|\n");
  struct Design {
    std::string what;
    int sizes, seeds;
  };
  unsigned seed = 301;
  const int n = simulations() / 10;
  for (const Design& design :
       {Design{"8 sizes, one seed", 8, 1}, Design{"8 sizes, two seeds", 8, 2},
        Design{"16 sizes, one seed", 16, 1}}) {
    std::mt19937_64 random(seed++);
    std::normal_distribution<double> normal;
    int slope = 0, e = 0, alpha = 0;
    for (int i = 0; i < n; ++i) {
      RunTable line, floor;
      for (int k = 0; k < design.sizes; ++k) {
        const double size = 1.5e3 * std::pow(10.0, 2.0 * k / (design.sizes - 1));
        for (int s = 0; s < design.seeds; ++s) {
          const double noise = .005 * normal(random);
          add_run(line, "a", size, 1 - .1 * std::log(size) + noise);
          add_run(floor, "a", size, std::log(1.6 + 2 * std::pow(size / 1.5e3, -.26)) + noise);
          const std::string recipe = "r" + std::to_string(k);
          line.rows.back().record.recipe_hash = floor.rows.back().record.recipe_hash = recipe;
        }
      }
      LawOptions options = ladder_options();
      options.bootstrap_replicates = 400;
      const ArmLaws straight = fit_arms(line, NCount::kNonEmbedding, options).front();
      const ArmLaws bent = fit_arms(floor, NCount::kNonEmbedding, options).front();
      slope += straight.power.bootstrap_interval->contains(.1);
      const FloorBootstrap& b = bent.floor.bootstrap;
      e += b.e && b.e->contains(1.6);
      alpha += b.alpha && b.alpha->contains(.26);
    }
    std::printf("| %s | %s | %s | %s |\n", design.what.c_str(), share(slope, n).c_str(),
                share(e, n).c_str(), share(alpha, n).c_str());
    EXPECT_GE(slope, at_least(.8, n)) << design.what;  // too narrow, as the page says
  }
}

}  // namespace
}  // namespace scalelaw
