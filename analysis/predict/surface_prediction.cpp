#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/fitting/new_point.h"
#include "analysis/fitting/profile.h"
#include "analysis/number_text.h"
#include "analysis/predict/predicting_law.h"
#include "analysis/predict/run_prediction.h"

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

struct WeighedFit {
  FitData data;
  FitResult best;
  double weight_of_new_run = 1;
};

// Scatter beyond the seeds' is common to the runs of a recipe.
WeighedFit fit_of(const std::vector<Recipe>& recipes, const SeedNoise& seed) {
  const RefineOptions least_squares{.huber_delta = kLeastSquares};
  WeighedFit fit;
  fit.data = weighed(recipes, 1, 0);
  fit.best = fit_robust(chinchilla_law(), fit.data, least_squares);
  const double seed_variance = seed.sd_ln_loss * seed.sd_ln_loss;
  if (!has_curve(fit.best.status) || seed_variance == 0) return fit;
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

std::string floor_in_words(const ProfileInterval& floor) {
  if (floor.identified()) {
    return "; its floor E is from " + fixed(floor.low, 3) + " to " + fixed(floor.high, 3);
  }
  return std::string("; its floor E is not identified (from ") +
         (floor.low_bounded ? fixed(floor.low, 3) : "0") +
         (floor.high_bounded ? " to " + fixed(floor.high, 3) : " up to the smallest loss") +
         "), and the interval goes through every floor that the runs allow";
}

}  // namespace

RunPrediction predict_on_surface(const RunTable& runs, const Selection& selection,
                                 const SeedNoise& seed, const NewRun& run, double level) {
  const Law& law = chinchilla_law();
  RunPrediction out;
  const std::vector<Recipe> recipes = recipes_of(runs, selection);
  out.missing = what_is_missing(runs, recipes);
  if (!out.missing.empty()) return out;
  const WeighedFit fit = fit_of(recipes, seed);
  if (!has_curve(fit.best.status)) {
    out.missing = "L(N, D) has no fit to its " + std::to_string(recipes.size()) +
                  " runs that differ in N or D: " + fit.best.why;
    return out;
  }
  const NewPoint point{fit.data.centred(run.n, run.d), fit.weight_of_new_run};
  const auto interval = new_point_interval(law, fit.data, fit.best, point, level);
  if (!interval) {
    out.missing = "L(N, D) of its " + std::to_string(recipes.size()) +
                  " runs that differ in N or D bounds the loss there to no interval";
    return out;
  }
  out.loss = std::exp(law.ln_loss(fit.best.theta, point.at));
  out.low = std::exp(interval->low);
  out.high = std::exp(interval->high);
  const std::string over = std::to_string(recipes.size()) + " runs that differ in N or D";
  out.laws = {predicting_law(law, law.published(fit.best.theta, fit.data.centre), over)};
  out.why =
      "there are too few runs of its own D, or of its own D / N, for a law of N alone: the "
      "surface over all runs of the arm gives the loss" +
      floor_in_words(profile_floor(law, fit.data, fit.best, ProfileKind::kGaussian, 0, level));
  return out;
}

}  // namespace scalelaw
