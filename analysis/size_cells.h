// The points that a law is fitted to: one a size of an arm, seeds averaged, and what each weighs.
//
// Statistics are of ln L. With noise between sizes the runs of a size are not independent, and
// tests on runs reject far too often; so seeds of one size are one point, of variance
//
//   size variance + seed variance / seeds + evaluation variance
//
// Seed variance is pooled over every size of every arm that has several seeds. Evaluation variance
// is how far a finite test text moves a point off its arm's line (paired: all runs read the same
// windows). Size variance is what is left: noise common to a size's seeds, and a straight line's
// lack of fit; it is chosen so that the weighted residual sum of squares of all arms equals its
// degrees of freedom (Paule & Mandel 1982), never below 0. Only ratios of the variances matter to
// an interval: its scale always comes from the residuals (Knapp & Hartung 2003), so a poor estimate
// of seed variance costs width, not coverage. docs/studies/coverage.md measures it.
#pragma once

#include <string>
#include <vector>

#include "analysis/run_table.h"
#include "analysis/weighted_line.h"

namespace scalelaw {

inline constexpr int kFewestSizesForPowerLaw = 3;

// All runs of one recipe: they differ in seeds alone.
struct SizeCell {
  double n = 0;
  double mean_ln_loss = 0;
  std::vector<double> ln_losses;          // one a seed
  std::vector<std::size_t> rows;          // in the table, the same order
  std::vector<std::string> content_hash;  // the same order
  std::string recipe_hash;
  double evaluation_variance = 0;  // of mean_ln_loss about the arm's line; 0: not known
  double variance = 1;             // of mean_ln_loss; any unit: its ratios are the weights
  int seeds() const { return static_cast<int>(ln_losses.size()); }
};

// Spread of ln L between seeds of one size, pooled over sizes that have several; df 0: unknown.
struct SeedNoise {
  double sd_ln_loss = 0;
  int df = 0;
};

struct CellNoise {
  SeedNoise seed;
  double size_sd = 0;             // of ln L, common to a size's seeds; with lack of fit
  bool evaluation_known = false;  // every run's window losses could be read
};

// The cells of one arm by n, ascending; variances not yet set. Runs whose n is not above 0 by the
// selection's count are left out.
std::vector<SizeCell> size_cells(const RunTable& table, const std::string& arm,
                                 const Selection& selection);

// A recipe that stands in several arms counts once, and each of its runs once.
SeedNoise pooled_seed_noise(const std::vector<std::vector<SizeCell>>& arms);
// Of all arms and D of a table, whose selection names the test set: between the seeds of a recipe.
SeedNoise pooled_seed_noise(const RunTable& table, const Selection& selection);

// Sets the variance of every cell, from all arms together.
CellNoise weigh_cells(std::vector<std::vector<SizeCell>>& arms);
// With a seed noise known from more than these arms.
CellNoise weigh_cells(std::vector<std::vector<SizeCell>>& arms, const SeedNoise& seed);

// x = ln n, y = mean ln L, weight = 1 / variance.
std::vector<LinePoint> line_points(const std::vector<SizeCell>& cells);

}  // namespace scalelaw
