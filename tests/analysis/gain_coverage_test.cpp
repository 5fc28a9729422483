// Known truth for what `compare` says of equal losses and of equality: how often a gain's set holds
// the gain, and how often two one-sided tests call slopes equivalent. The tables are those of
// docs/studies/coverage.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "analysis/equivalent_gain.h"
#include "analysis/slope_difference.h"
#include "analysis/slope_equivalence.h"
#include "tests/analysis/coverage_tally.h"

namespace scalelaw {
namespace {

struct Design {
  std::string what;
  int sizes_a = 8, sizes_b = 8;
  double noise_a = .005, noise_b = .005;
  double slope_a = .11, slope_b = .09;
  double bend = 0;  // of both, quadratic in ln N about the centre
};

constexpr double kFirst = 1.5e3;  // two decades from here
const double kCentre = std::log(1.5e4), kLast = 1.5e5;

double law(double slope, double bend, double x) {
  return 1 - slope * (x - kCentre) + bend * (x - kCentre) * (x - kCentre);
}

// Where the curve of a has the loss that b's has at x.
double truth(const Design& d, double x) {
  const double target = law(d.slope_b, d.bend, x);
  double low = kCentre - 6, high = kCentre + 6;
  for (int i = 0; i < 100; ++i) {
    const double middle = .5 * (low + high);
    (law(d.slope_a, d.bend, middle) > target ? low : high) = middle;
  }
  return std::exp(x - low);
}

std::vector<ArmLaws> simulate(const Design& d, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  std::vector<std::vector<SizeCell>> cells(2);
  for (int arm = 0; arm < 2; ++arm) {
    const int sizes = arm == 0 ? d.sizes_a : d.sizes_b;
    for (int i = 0; i < sizes; ++i) {
      SizeCell cell;
      cell.n = kFirst * std::pow(kLast / kFirst, static_cast<double>(i) / (sizes - 1));
      cell.recipe_hash = std::to_string(arm) + "/" + std::to_string(i);
      cell.content_hash = {cell.recipe_hash};
      cell.mean_ln_loss = law(arm == 0 ? d.slope_a : d.slope_b, d.bend, std::log(cell.n)) +
                          (arm == 0 ? d.noise_a : d.noise_b) * normal(random);
      cell.ln_losses = {cell.mean_ln_loss};
      cells[static_cast<std::size_t>(arm)].push_back(cell);
    }
  }
  weigh_cells(cells);
  std::vector<ArmLaws> arms(2);
  for (std::size_t k = 0; k < 2; ++k) {
    arms[k].cells = cells[k];
    arms[k].power = fit_line_of(cells[k], {}, .95);
  }
  return arms;
}

bool holds(const GainSet& set, double gain) {
  using Kind = GainSet::Kind;
  const bool above = set.kind == Kind::kInterval || set.kind == Kind::kAtLeast;
  const bool below = set.kind == Kind::kInterval || set.kind == Kind::kAtMost;
  return !(above && gain < set.low) && !(below && gain > set.high);
}

TEST(Coverage, OfComputeEquivalentGains) {
  const int simulations = std::max(prediction_simulations() / 4, 50);
  const std::vector<Design> designs = {
      {"8 sizes, noise .5%"},
      {"8 sizes, noise .2% and .6%", 8, 8, .002, .006},
      {"8 sizes, noise 1%, slopes .11 and .10", 8, 8, .01, .01, .11, .10},
      {"5 sizes, noise .5%", 5, 5},
      {"5 sizes at .6%, 8 at .2%", 5, 8, .006, .002},
      {"8 sizes, noise .5%, both bend", 8, 8, .005, .005, .11, .09, .008},
  };
  std::printf(
      "| design | lines, smallest | lines, middle | lines, largest | parabolas, smallest | "
      "parabolas, middle | parabolas, largest |\n|---|---|---|---|---|---|---|\n");
  unsigned seed = 1;
  for (const Design& d : designs) {
    std::mt19937_64 random(seed++);
    int lines[3] = {}, curves[3] = {};
    for (int i = 0; i < simulations; ++i) {
      const std::vector<ArmLaws> arms = simulate(d, random);
      const EquivalentGains found = equivalent_gains(arms[0], arms[1], false, {}, .95);
      for (std::size_t k = 0; k < 3; ++k) {
        const EquivalentGain& gain = found.gains.at(k);
        const double true_gain = truth(d, std::log(gain.at));
        lines[k] += holds(gain.lines, true_gain);
        curves[k] += holds(*gain.parabolas, true_gain);
      }
    }
    std::printf("| %s", d.what.c_str());
    for (const int hits : lines) {
      std::printf(" | %s", d.bend == 0 ? share(hits, simulations).c_str() : "-");
    }
    for (const int hits : curves) std::printf(" | %s", share(hits, simulations).c_str());
    std::printf(" |\n");
    for (int k = 0; k < 3; ++k) {
      if (d.bend == 0) {
        EXPECT_TRUE(covers(lines[k], simulations, .92, .98)) << d.what;
      }
      // At an end the set may reach to the runs' end and hold whatever is beyond.
      EXPECT_TRUE(covers(curves[k], simulations, .91, 1)) << d.what;
    }
  }
}

TEST(Coverage, OfEquivalenceOfSlopes) {
  const int simulations = std::max(prediction_simulations() / 4, 50);
  std::printf(
      "| design | called equivalent: difference .010, the margin | .005 | 0 | 0, at the "
      "least margin |\n|---|---|---|---|---|\n");
  unsigned seed = 11;
  for (Design d : std::vector<Design>{{"8 sizes, noise .2%", 8, 8, .002, .002},
                                      {"8 sizes, noise .5%"},
                                      {"5 sizes, noise .2%", 5, 5, .002, .002},
                                      {"5 sizes at .6%, 8 at .2%", 5, 8, .006, .002}}) {
    std::mt19937_64 random(seed++);
    std::printf("| %s", d.what.c_str());
    int at_least = 0;
    for (const double difference : {.010, .005, 0.}) {
      d.slope_a = d.slope_b + difference;
      int equivalent = 0;
      for (int i = 0; i < simulations; ++i) {
        const std::vector<ArmLaws> arms = simulate(d, random);
        Comparison c;
        compare_slopes(arms[0], arms[1], false, c);
        const SlopeEquivalence test =
            test_equivalence(c.difference, c.standard_error, c.df, .010, .05);
        equivalent += test.p < .05;
        if (difference > 0) continue;
        at_least +=
            test_equivalence(c.difference, c.standard_error, c.df, test.least_margin, .05).p < .05;
      }
      std::printf(" | %s", share(equivalent, simulations).c_str());
      if (difference == .010) {
        EXPECT_TRUE(covers(equivalent, simulations, 0, .06)) << d.what;
      }
    }
    std::printf(" | %s |\n", share(at_least, simulations).c_str());
    EXPECT_TRUE(covers(at_least, simulations, .70, 1)) << d.what;
  }
}

}  // namespace
}  // namespace scalelaw
