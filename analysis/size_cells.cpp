#include "analysis/size_cells.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace scalelaw {
namespace {

using Arms = std::vector<std::vector<SizeCell>>;

bool has_line(const std::vector<SizeCell>& cells) {
  return static_cast<int>(cells.size()) >= kFewestSizesForPowerLaw &&
         cells.front().n < cells.back().n;
}

void set_variances(Arms& arms, double seed_variance, double size_variance) {
  for (std::vector<SizeCell>& cells : arms) {
    for (SizeCell& c : cells) {
      c.variance = size_variance + seed_variance / c.seeds() + c.evaluation_variance;
      if (c.variance <= 0) c.variance = 1;  // nothing scatters: every weight is as good
    }
  }
}

// Weighted residual sum of squares about every arm's own line.
double residual_sum(const Arms& arms) {
  double sum = 0;
  for (const std::vector<SizeCell>& cells : arms) {
    if (has_line(cells)) sum += fit_line(line_points(cells)).weighted_rss;
  }
  return sum;
}

double size_variance_of(Arms& arms, double seed_variance) {
  int df = 0;
  for (const std::vector<SizeCell>& cells : arms) {
    if (has_line(cells)) df += static_cast<int>(cells.size()) - 2;
  }
  if (df == 0) return 0;
  for (std::vector<SizeCell>& cells : arms) {
    for (SizeCell& c : cells) c.variance = 1;
  }
  // Every cell's variance is at least the size variance, so the unweighted one is too large.
  double low = 0, high = residual_sum(arms) / df;
  if (high <= 0) return 0;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    set_variances(arms, seed_variance, middle);
    (residual_sum(arms) > df ? low : high) = middle;
  }
  return high > 1e-12 * seed_variance ? high : 0;
}

}  // namespace

std::vector<SizeCell> size_cells(const RunTable& table, const std::string& arm,
                                 const Selection& selection) {
  std::vector<SizeCell> cells;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const RunRow& row = table.rows[i];
    if (row.arm != arm || !(row.n(selection.n_count) > 0)) continue;
    auto cell = std::find_if(cells.begin(), cells.end(), [&](const SizeCell& c) {
      return c.recipe_hash == row.record.recipe_hash;
    });
    if (cell == cells.end()) {
      cells.push_back({});
      cell = std::prev(cells.end());
      cell->n = row.n(selection.n_count);
      cell->recipe_hash = row.record.recipe_hash;
    }
    cell->ln_losses.push_back(std::log(row.loss(selection.test_set, selection.metric)));
    cell->rows.push_back(i);
    cell->content_hash.push_back(row.record.content_hash);
  }
  for (SizeCell& cell : cells) {
    for (const double value : cell.ln_losses) cell.mean_ln_loss += value / cell.seeds();
  }
  std::sort(cells.begin(), cells.end(), [](auto& a, auto& b) { return a.n < b.n; });
  return cells;
}

SeedNoise pooled_seed_noise(const Arms& arms) {
  std::map<std::string, std::map<std::string, double>> recipes;  // recipe -> run -> ln L
  for (const std::vector<SizeCell>& cells : arms) {
    for (const SizeCell& c : cells) {
      for (std::size_t i = 0; i < c.ln_losses.size(); ++i) {
        recipes[c.recipe_hash][c.content_hash[i]] = c.ln_losses[i];
      }
    }
  }
  SeedNoise noise;
  double sum_of_squares = 0;
  for (const auto& [recipe, runs] : recipes) {
    double mean = 0;
    for (const auto& [run, value] : runs) mean += value / static_cast<double>(runs.size());
    for (const auto& [run, value] : runs) sum_of_squares += (value - mean) * (value - mean);
    noise.df += static_cast<int>(runs.size()) - 1;
  }
  if (noise.df > 0) noise.sd_ln_loss = std::sqrt(sum_of_squares / noise.df);
  return noise;
}

SeedNoise pooled_seed_noise(const RunTable& table, const Selection& selection) {
  RunTable usable;
  for (const RunRow& row : table.rows) {
    if (row.record.test.count(selection.test_set) == 0) continue;
    const double loss = row.loss(selection.test_set, selection.metric);
    if (std::isfinite(loss) && loss > 0) usable.rows.push_back(row);
  }
  Arms arms;
  for (const std::string& arm : usable.arms()) arms.push_back(size_cells(usable, arm, selection));
  return pooled_seed_noise(arms);
}

CellNoise weigh_cells(Arms& arms) {
  return weigh_cells(arms, pooled_seed_noise(arms));
}

CellNoise weigh_cells(Arms& arms, const SeedNoise& seed) {
  CellNoise noise;
  noise.seed = seed;
  const double seed_variance = noise.seed.sd_ln_loss * noise.seed.sd_ln_loss;
  const double size_variance = size_variance_of(arms, seed_variance);
  noise.size_sd = std::sqrt(size_variance);
  set_variances(arms, seed_variance, size_variance);
  return noise;
}

std::vector<LinePoint> line_points(const std::vector<SizeCell>& cells) {
  std::vector<LinePoint> points;
  for (const SizeCell& c : cells) points.push_back({std::log(c.n), c.mean_ln_loss, 1 / c.variance});
  return points;
}

}  // namespace scalelaw
