// How often the interval of a run that is not there yet holds its loss. Prints tables of
// docs/studies/coverage.md; SCALELAW_COVERAGE_SIMULATIONS=2000 repeats it at its full size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "analysis/fitting/robust_refine.h"
#include "analysis/floor_fit.h"
#include "analysis/predict/run_prediction.h"
#include "tests/analysis/coverage_share.h"
#include "tests/analysis/ladder.h"

namespace scalelaw {
namespace {

int simulations() {
  const char* asked = std::getenv("SCALELAW_COVERAGE_SIMULATIONS");
  return asked ? std::atoi(asked) : 200;
}

struct Design {
  std::string what;
  double e, sd;            // floor; noise of a run, in ln L
  std::vector<int> seeds;  // of each size, over two decades of N
  double beyond;           // N of the run over the largest
  double size_sd = 0;      // of ln L, common to a size's seeds
  bool text = false;       // losses are means over the windows of one text
  double highest = .97;    // share that may be covered
  int known_df = 0;        // of the noise between seeds, from runs at other D
};

constexpr double kSmallest = 1.5e3;
constexpr int kWindows = 256;

double ladder_loss(double e, double n) {
  return e + (3.6 - e) * std::pow(n / kSmallest, e > 0 ? -.26 : -.1);
}

// What a finite text does to ln L of a run: in mean of the windows 1% to all alike, .2% times ln N
// from the centre, .3% to each run alone.
struct Text {
  std::vector<double> common, tilt;
  explicit Text(std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    for (int w = 0; w < kWindows; ++w) {
      common.push_back(.01 * std::sqrt(kWindows) * normal(random));
      tilt.push_back(.002 * std::sqrt(kWindows) * normal(random));
    }
  }
  std::vector<double> windows(double n, double loss, std::mt19937_64& random) const {
    std::normal_distribution<double> normal;
    std::vector<double> losses;
    const double x = std::log(n / kSmallest) - std::log(10.0);
    for (std::size_t w = 0; w < common.size(); ++w) {
      const double own = .003 * std::sqrt(kWindows) * normal(random);
      losses.push_back(loss * (1 + common[w] + tilt[w] * x + own));
    }
    return losses;
  }
};

double mean_of(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  return mean;
}

// Runs of one recipe.
void add_recipe(RunTable& table, double n, double d, int seeds,
                const std::function<double()>& ln_loss) {
  const std::string recipe = "r" + std::to_string(table.rows.size());
  for (int s = 0; s < seeds; ++s) {
    add_run(table, "a", n, ln_loss());
    table.rows.back().record.recipe_hash = recipe;
    table.rows.back().record.train_tokens = static_cast<int64_t>(d);
  }
}

void read_on(const Text& text, RunTable& table, std::mt19937_64& random) {
  for (RunRow& row : table.rows) {
    TestResult& test = row.record.test.at("default");
    const std::vector<double> losses =
        text.windows(row.n(NCount::kNonEmbedding), test.loss_nats, random);
    test.loss_nats = mean_of(losses);
    row.window_losses.assign(losses.begin(), losses.end());
  }
}

struct Tally {
  int covered = 0, floors = 0, missing = 0;
  double width = 0;
  std::vector<std::pair<double, bool>> by_residuals;  // and whether it covers
  void add(const RunPrediction& found, double loss, double residuals = 0) {
    const bool holds = found.missing.empty() && found.low <= loss && loss <= found.high;
    by_residuals.emplace_back(residuals, holds);
    if (!found.missing.empty()) {
      ++missing;
      return;
    }
    covered += holds;
    floors += found.laws.front().id == "power_floor";
    width += std::log(found.high / found.low) / simulations();
  }
};

// Of the quarter whose residuals came out smallest: seen from the table, they say most.
int covered_of_quarter(Tally& tally) {
  std::ranges::sort(tally.by_residuals);
  tally.by_residuals.resize(tally.by_residuals.size() / 4);
  return static_cast<int>(
      std::ranges::count_if(tally.by_residuals, &std::pair<double, bool>::second));
}

// About the law that made the losses, fitted.
double residuals_of(const std::vector<SizeCell>& cells, bool has_floor) {
  if (!has_floor) return fit_line(line_points(cells)).weighted_rss;
  const Law& law = power_law_with_floor();
  return fit_robust(law, data_of_means(cells), {.huber_delta = kLeastSquares}).objective;
}

void draw_ladder(const Design& design, std::mt19937_64& random, Tally& tally) {
  std::normal_distribution<double> normal;
  const auto draw = [&](RunTable& table, double n, int seeds) {
    const double mean = std::log(ladder_loss(design.e, n)) + design.size_sd * normal(random);
    add_recipe(table, n, 1e6, seeds, [&] { return mean + design.sd * normal(random); });
  };
  RunTable table, future;
  const auto last = static_cast<double>(design.seeds.size() - 1);
  for (std::size_t k = 0; k < design.seeds.size(); ++k) {
    draw(table, kSmallest * std::pow(10.0, 2.0 * static_cast<double>(k) / last), design.seeds[k]);
  }
  const NewRun run{kSmallest * 100 * design.beyond, 1e6};
  draw(future, run.n, 1);
  if (design.text) {
    const Text text(random);
    read_on(text, table, random);
    read_on(text, future, random);
  }
  const Selection selection = ladder_options().selection;
  const std::vector<SizeCell> cells = size_cells(table, "a", selection);
  SeedNoise noise = pooled_seed_noise({cells});
  double squares = noise.df * noise.sd_ln_loss * noise.sd_ln_loss;
  for (int i = 0; i < design.known_df; ++i) squares += std::pow(design.sd * normal(random), 2);
  noise.df += design.known_df;
  if (noise.df > 0) noise.sd_ln_loss = std::sqrt(squares / noise.df);
  tally.add(predict_on_ladder(table, selection, noise, run, .95, ""),
            future.rows.front().loss("default", LossMetric::kNatsPerToken),
            residuals_of(cells, design.e > 0));
}

TEST(Coverage, OfPredictionsOnALadder) {
  const std::vector<int> few = {1, 1, 2, 1, 1, 2, 1, 1};
  const std::vector<Design> designs = {
      {"no floor; noise .5%; eight sizes; N x 3", 0, .005, few, 3},
      {"no floor; noise .5%; eight sizes; N x 10", 0, .005, few, 10},
      {"no floor; noise .5%; five sizes; N x 3", 0, .005, {1, 1, 1, 1, 1}, 3},
      {"no floor; noise .5%; three sizes; N x 3", 0, .005, {1, 1, 1}, 3},
      {"no floor; noise .1%, of sizes .5%; eight sizes; N x 3", 0, .001, few, 3, .005},
      {"no floor; noise .2% and a test text; eight sizes; N x 3", 0, .002, few, 3, 0, true, .98},
      {"E 1.6; noise .2%; eight sizes; N x 3", 1.6, .002, few, 3},
      {"E 1.6; noise .2%; eight sizes; N x 10", 1.6, .002, few, 10},
      {"E 1.6; noise .5%; eight sizes; N x 10", 1.6, .005, few, 10},
      {"E 1.6; noise 1%; eight sizes; N x 10", 1.6, .01, few, 10},
      {"E 1.6; noise 1%; eight sizes; N x 100", 1.6, .01, few, 100},
      {"E 1.6; noise 1%; five sizes; N x 10", 1.6, .01, {1, 1, 1, 1, 1}, 10},
      {"E 1.6; noise .5%; four sizes; N x 3", 1.6, .005, {1, 1, 1, 1}, 3},
      // The bend counts as noise, with one degree of freedom.
      {"E 1.6; noise .5%; three sizes; N x 3", 1.6, .005, {1, 1, 1}, 3, 0, false, 1},
      {"no floor; seeds .3%, 16 df; three sizes; N x 3", 0, .003, {1, 1, 1}, 3, 0, false, 1, 16},
      {"no floor; seeds .3%, 16 df; four sizes; N x 3", 0, .003, {1, 1, 1, 1}, 3, 0, false, 1, 16},
      {"no floor; seeds .3%, 16 df; five sizes; N x 3",
       0,
       .003,
       {1, 1, 1, 1, 1},
       3,
       0,
       false,
       1,
       16},
      {"no floor; seeds .3%, 16 df, sizes .3%; five sizes; N x 3",
       0,
       .003,
       {1, 1, 1, 1, 1},
       3,
       .003,
       false,
       1,
       16},
      {"no floor; seeds .3%, 16 df; eight sizes; N x 3",
       0,
       .003,
       {1, 1, 1, 1, 1, 1, 1, 1},
       3,
       0,
       false,
       .98,
       16},
      {"E 1.6; seeds .3%, 16 df; three sizes; N x 3", 1.6, .003, {1, 1, 1}, 3, 0, false, 1, 16},
      {"E 1.6; seeds .3%, 16 df; four sizes; N x 3", 1.6, .003, {1, 1, 1, 1}, 3, 0, false, 1, 16},
      {"E 1.6; seeds .3%, 16 df; five sizes; N x 3",
       1.6,
       .003,
       {1, 1, 1, 1, 1},
       3,
       0,
       false,
       1,
       16},
      {"E 1.6; seeds .3%, 16 df; eight sizes; N x 10",
       1.6,
       .003,
       {1, 1, 1, 1, 1, 1, 1, 1},
       10,
       0,
       false,
       .98,
       16},
  };
  std::printf(
      "| design | interval | smallest residuals | high over low, less 1 | floor's law | none "
      "|\n|---|---|---|---|---|---|\n");
  unsigned seed = 501;
  const int n = simulations();
  for (const Design& design : designs) {
    std::mt19937_64 random(seed++);
    Tally tally;
    for (int i = 0; i < n; ++i) draw_ladder(design, random, tally);
    const int of_quarter = covered_of_quarter(tally);
    std::printf("| %s | %s | %s | %.3f | %.2f | %.3f |\n", design.what.c_str(),
                share(tally.covered, n).c_str(), share(of_quarter, n / 4).c_str(),
                std::expm1(tally.width), double(tally.floors) / n, double(tally.missing) / n);
    // Where nothing is known of the noise but the residuals, they cannot be told to be lucky.
    if (design.known_df > 0) {
      EXPECT_TRUE(covers(of_quarter, n / 4, .92, 1)) << design.what;
    }
    EXPECT_TRUE(covers(tally.covered, n, .93, design.highest)) << design.what;
    EXPECT_LE(tally.missing, .01 * n) << design.what;
  }
}

struct Grid {
  std::string what;
  double e, sd;
  int sizes, horizons;  // over two decades of N and 1.7 of D
  double n_beyond, d_beyond;
  bool isoflop = false;  // of the grid a band about N D = const
  int every_with_two_seeds = 1000;
};

void draw_surface(const Grid& design, std::mt19937_64& random, Tally& tally) {
  std::normal_distribution<double> normal;
  const auto ln_loss = [&](double n, double d) {
    return std::log(design.e + 480 * std::pow(n * 1e3, -.347) + 2100 * std::pow(d * 1e3, -.367)) +
           design.sd * normal(random);
  };
  RunTable table;
  for (int a = 0; a < design.sizes; ++a) {
    for (int b = 0; b < design.horizons; ++b) {
      const double place_n = double(a) / (design.sizes - 1),
                   place_d = double(b) / (design.horizons - 1);
      if (design.isoflop && std::abs(place_n + place_d - 1) > .51) continue;
      const double n = 1e4 * std::pow(100.0, place_n), d = 2e5 * std::pow(50.0, place_d);
      const int seeds = 1 + ((a * design.horizons + b + 1) % design.every_with_two_seeds == 0);
      add_recipe(table, n, d, seeds, [&] { return ln_loss(n, d); });
    }
  }
  const NewRun run{1e6 * design.n_beyond, 1e7 * design.d_beyond};
  const Selection selection = ladder_options().selection;
  const SeedNoise noise = pooled_seed_noise({size_cells(table, "a", selection)});
  tally.add(predict_on_surface(table, selection, noise, run, .95), std::exp(ln_loss(run.n, run.d)));
}

TEST(Coverage, OfPredictionsOnASurface) {
  const std::vector<Grid> designs = {
      {"4 sizes x 4 D; noise .3%; N x 3, D x 3", 1.7, .003, 4, 4, 3, 3},
      {"4 sizes x 4 D; noise 1%; N x 3, D x 3", 1.7, .01, 4, 4, 3, 3},
      {"6 sizes x 5 D; noise .5%; N x 10, D x 10", 1.7, .005, 6, 5, 10, 10},
      {"6 sizes x 6 D about N D constant; noise .5%; N x 3, D x 3", 1.7, .005, 6, 6, 3, 3, true},
      {"4 sizes x 4 D, two seeds at four; noise .5%; N x 3, D x 3", 1.7, .005, 4, 4, 3, 3, false,
       4},
      {"3 sizes x 3 D; noise .3%; N x 3, D x 3", 1.7, .003, 3, 3, 3, 3},
      {"5 sizes x 4 D; no floor; noise .5%; N x 3, D x 10", 0, .005, 5, 4, 3, 10},
  };
  std::printf("| design | interval | high over low, less 1 | none |\n|---|---|---|---|\n");
  unsigned seed = 551;
  const int n = simulations();
  for (const Grid& design : designs) {
    std::mt19937_64 random(seed++);
    Tally tally;
    for (int i = 0; i < n; ++i) draw_surface(design, random, tally);
    std::printf("| %s | %s | %.3f | %.3f |\n", design.what.c_str(), share(tally.covered, n).c_str(),
                std::expm1(tally.width), double(tally.missing) / n);
    EXPECT_TRUE(covers(tally.covered, n)) << design.what;
    EXPECT_LE(tally.missing, .01 * n) << design.what;
  }
}

}  // namespace
}  // namespace scalelaw
