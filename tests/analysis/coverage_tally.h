// What simulated predictions come to: the shares that hold, of all and of those whose runs look
// best.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "analysis/predict/run_prediction.h"
#include "tests/analysis/coverage_share.h"
#include "tests/analysis/ladder.h"

namespace scalelaw {

// SCALELAW_COVERAGE_SIMULATIONS, else few.
inline int prediction_simulations() {
  const char* asked = std::getenv("SCALELAW_COVERAGE_SIMULATIONS");
  return asked ? std::atoi(asked) : 200;
}

// Runs of one recipe.
inline void add_recipe(RunTable& table, double n, double d, int seeds,
                       const std::function<double()>& ln_loss) {
  const std::string recipe = "r" + std::to_string(table.rows.size());
  for (int s = 0; s < seeds; ++s) {
    add_run(table, "a", n, ln_loss());
    table.rows.back().record.recipe_hash = recipe;
    table.rows.back().record.train_tokens = static_cast<int64_t>(d);
  }
}

// With the squares of `df` more deviations of this sd, of runs elsewhere.
inline SeedNoise with_seeds_elsewhere(SeedNoise noise, int df,
                                      const std::function<double()>& deviation) {
  double squares = noise.df * noise.sd_ln_loss * noise.sd_ln_loss;
  for (int i = 0; i < df; ++i) squares += std::pow(deviation(), 2);
  noise.df += df;
  if (noise.df > 0) noise.sd_ln_loss = std::sqrt(squares / noise.df);
  return noise;
}

struct PredictionTally {
  struct Look {
    double residuals;   // sum of squares about the law
    double seed_noise;  // variance, as known; 0: it is not
    bool covers;
  };
  std::vector<Look> looks;
  int covered = 0, floors = 0, missing = 0;
  double width = 0;  // ln, summed

  void add(const RunPrediction& found, double loss, double residuals, const SeedNoise& noise) {
    const bool covers = found.missing.empty() && found.low <= loss && loss <= found.high;
    looks.push_back({residuals, noise.sd_ln_loss * noise.sd_ln_loss, covers});
    if (!found.missing.empty()) {
      ++missing;
      return;
    }
    covered += covers;
    floors += found.laws.front().id == "power_floor";
    width += std::log(found.high / found.low);
  }
  // A mean of logarithms, of those that have an interval.
  double mean_width() const {
    return std::expm1(width /
                      static_cast<double>(std::max<std::size_t>(looks.size() - missing, 1)));
  }
  int covered_looks() const {
    return static_cast<int>(std::ranges::count_if(looks, &Look::covers));
  }
  // How many a quarter are.
  int quarter() const { return static_cast<int>(looks.size()) / 4; }
  // Of the quarter whose residuals came out smallest.
  int covered_of_small_residuals() const {
    return covered_of_quarter([](const Look& look) { return look.residuals; });
  }
  bool knows_noise() const { return !looks.empty() && looks.front().seed_noise > 0; }
  // Of the quarter whose residuals came out smallest beside what is known of the noise.
  int covered_of_small_ratio() const {
    return covered_of_quarter([](const Look& look) { return look.residuals / look.seed_noise; });
  }
  std::string small_ratio_share() const {
    return knows_noise() ? share(covered_of_small_ratio(), quarter()) : "-";
  }

 private:
  int covered_of_quarter(const std::function<double(const Look&)>& by) const {
    std::vector<Look> sorted = looks;
    std::ranges::stable_sort(sorted, {}, by);
    sorted.resize(sorted.size() / 4);
    return static_cast<int>(std::ranges::count_if(sorted, &Look::covers));
  }
};

}  // namespace scalelaw
