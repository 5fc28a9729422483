// Whether intervals narrow as proposals say: of simulated studies, the width that was expected
// before a run beside the width once it was there.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/propose/slope_design.h"

namespace scalelaw {
namespace {

struct Study {
  int sizes = 6, seeds = 2;
  double seed_sd = 0.005, size_sd = 0;
};

class Simulation {
 public:
  Simulation(const Study& study, unsigned seed) : study_(study), random_(seed) {
    for (int i = 0; i < study.sizes; ++i) add_size(study.seeds);
  }

  void add_size(int seeds) {
    SizeCell cell;
    cell.n = 1000 * std::pow(2, cells_.size());
    cell.recipe_hash = std::to_string(cells_.size());
    const double own = study_.size_sd * normal_(random_);
    cells_.push_back(cell);
    own_.push_back(own);
    for (int i = 0; i < seeds; ++i) add_seed(cells_.size() - 1, own);
  }

  // Of a size that is there: its own part is that of all its seeds.
  void add_seed(std::size_t at) { add_seed(at, own_[at]); }

  const std::vector<SizeCell>& cells() const { return cells_; }

  ArmLaws laws() const {
    ArmLaws laws;
    std::vector<std::vector<SizeCell>> arms = {cells_};
    laws.noise = weigh_cells(arms);
    laws.cells = std::move(arms.front());
    laws.power = fit_line_of(laws.cells, {}, 0.95);
    return laws;
  }

 private:
  void add_seed(std::size_t at, double own) {
    SizeCell& cell = cells_[at];
    cell.content_hash.push_back(cell.recipe_hash + "-" + std::to_string(cell.seeds()));
    cell.ln_losses.push_back(1.6 - .1 * std::log(cell.n) + own + study_.seed_sd * normal_(random_));
    cell.mean_ln_loss = 0;
    for (const double value : cell.ln_losses) cell.mean_ln_loss += value / cell.seeds();
  }

  Study study_;
  std::mt19937 random_;
  std::normal_distribution<double> normal_;
  std::vector<SizeCell> cells_;
  std::vector<double> own_;  // of each size
};

double half_width(const ArmLaws& laws) {
  return (laws.power.slope_interval.high - laws.power.slope_interval.low) / 2;
}

struct Ratios {
  double size = 0, seed = 0;
};

// Mean width with a run more over the mean of what was expected of it: of a size above, and of a
// seed of the largest.
Ratios came_over_expected(const Study& study) {
  Ratios expected, came;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    Simulation larger(study, seed), surer(study, seed);
    const SlopeDesign design = *design_of(larger.laws(), 0.95);
    const std::size_t last = larger.cells().size() - 1;
    expected.size += design.with_size(std::log(2 * larger.cells().back().n)).half_width();
    expected.seed += design.with_seed(last).half_width();
    larger.add_size(1);
    surer.add_seed(last);
    came.size += half_width(larger.laws());
    came.seed += half_width(surer.laws());
  }
  return {came.size / expected.size, came.seed / expected.seed};
}

// docs/report.md states the range.
TEST(ProposedGain, IntervalsNarrowAsWasExpected) {
  for (const int sizes : {4, 6, 9}) {
    for (const double size_sd : {0., .005}) {
      const Ratios ratios = came_over_expected({.sizes = sizes, .size_sd = size_sd});
      RecordProperty(std::to_string(sizes) + " sizes, " + std::to_string(size_sd),
                     std::to_string(ratios.size) + ", " + std::to_string(ratios.seed));
      EXPECT_NEAR(ratios.size, 1.03, .04) << sizes << " sizes, " << size_sd;
      EXPECT_NEAR(ratios.seed, 1, .04) << sizes << " sizes, " << size_sd;
    }
  }
}

}  // namespace
}  // namespace scalelaw
