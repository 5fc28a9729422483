#include "analysis/predict/surface_fit.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/fitting/robust_refine.h"

namespace scalelaw {
namespace {

struct Recipe {
  double n = 0, d = 0, ln_loss = 0;
  int seeds = 1;
};

std::vector<Recipe> recipes_of(const RunTable& runs, const Selection& selection) {
  std::vector<Recipe> recipes;
  for (const SizeCell& cell : size_cells(runs, runs.rows.front().arm, selection)) {
    recipes.push_back(
        {cell.n, runs.rows[cell.rows.front()].d_tokens(), cell.mean_ln_loss, cell.seeds()});
  }
  return recipes;
}

// Horizons of one nominal D differ by their batches.
int distinct_horizons(const RunTable& runs) {
  std::vector<const RunRow*> firsts;
  for (const RunRow& row : runs.rows) {
    if (std::none_of(firsts.begin(), firsts.end(),
                     [&](const RunRow* first) { return same_horizon(*first, row); })) {
      firsts.push_back(&row);
    }
  }
  return static_cast<int>(firsts.size());
}

// Weights sum to the number of recipes, so that degrees of freedom stay.
FitData weighed(const std::vector<Recipe>& recipes, double size_variance, double seed_variance) {
  std::vector<double> weights;
  double sum = 0;
  for (const Recipe& r : recipes) {
    const double variance = size_variance + seed_variance / r.seeds;
    weights.push_back(variance > 0 ? 1 / variance : 1);
    sum += weights.back();
  }
  std::vector<Observation> means;
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    means.push_back({recipes[i].n, recipes[i].d, std::exp(recipes[i].ln_loss),
                     weights[i] / sum * static_cast<double>(recipes.size())});
  }
  return FitData(means);
}

// Scatter beyond the seeds' is common to the runs of a recipe.
SurfaceFit fit_of(const std::vector<Recipe>& recipes, const SeedNoise& seed) {
  const RefineOptions least_squares{.huber_delta = kLeastSquares};
  SurfaceFit fit;
  fit.data = weighed(recipes, 1, 0);
  fit.best = fit_robust(chinchilla_law(), fit.data, least_squares);
  const double seed_variance = seed.sd_ln_loss * seed.sd_ln_loss;
  if (!has_curve(fit.best.status) || seed_variance == 0) return fit;
  fit.known_noise = {seed_variance, static_cast<double>(seed.df)};
  const int df = static_cast<int>(recipes.size()) - chinchilla_law().parameters();
  double size_variance = 2 * fit.best.objective / df;
  for (const Recipe& r : recipes) {
    size_variance -= seed_variance / r.seeds / static_cast<double>(recipes.size());
  }
  size_variance = std::max(size_variance, 0.0);
  fit.data = weighed(recipes, size_variance, seed_variance);
  fit.best = fit_robust(chinchilla_law(), fit.data, least_squares);
  // Of recipe 0 the variance is known in the same unit.
  fit.weight_of_new_run = fit.data.weight.front() *
                          (size_variance + seed_variance / recipes.front().seeds) /
                          (size_variance + seed_variance);
  return fit;
}

std::string what_is_missing(const RunTable& runs, const std::vector<Recipe>& recipes) {
  std::set<double> sizes;
  for (const Recipe& r : recipes) sizes.insert(r.n);
  const int horizons = distinct_horizons(runs);
  if (static_cast<int>(recipes.size()) >= kFewestPointsForSurface &&
      static_cast<int>(sizes.size()) >= kFewestOfEachForSurface &&
      horizons >= kFewestOfEachForSurface) {
    return "";
  }
  const std::string fewest = std::to_string(kFewestOfEachForSurface);
  return "L(N, D) needs " + std::to_string(kFewestPointsForSurface) +
         " complete runs that differ in N or D, of " + fewest + " sizes and " + fewest +
         " D at least, and there are " + std::to_string(recipes.size()) + ", of " +
         std::to_string(sizes.size()) + " sizes and " + std::to_string(horizons) + " D";
}

}  // namespace

SurfaceFit fit_surface(const RunTable& runs, const Selection& selection, const SeedNoise& seed) {
  const std::vector<Recipe> recipes = recipes_of(runs, selection);
  SurfaceFit fit;
  fit.missing = what_is_missing(runs, recipes);
  if (fit.missing.empty()) fit = fit_of(recipes, seed);
  fit.recipes = static_cast<int>(recipes.size());
  return fit;
}

}  // namespace scalelaw
