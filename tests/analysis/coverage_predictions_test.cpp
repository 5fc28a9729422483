// How often the interval of a run that is not there yet holds its loss. Prints tables of
// docs/studies/coverage.md; SCALELAW_COVERAGE_SIMULATIONS=2000 repeats it at its full size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/new_point.h"
#include "analysis/fitting/robust_refine.h"
#include "analysis/floor_fit.h"
#include "analysis/predict/run_prediction.h"
#include "tests/analysis/coverage_tally.h"

namespace scalelaw {
namespace {

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

void read_on(const Text& text, RunTable& table, std::mt19937_64& random) {
  for (RunRow& row : table.rows) {
    TestResult& test = row.record.test.at("default");
    const std::vector<double> losses =
        text.windows(row.n(NCount::kNonEmbedding), test.loss_nats, random);
    test.loss_nats = mean_of(losses);
    row.window_losses.assign(losses.begin(), losses.end());
  }
}

// About the law that made the losses, fitted.
double residuals_of(const std::vector<SizeCell>& cells, bool has_floor) {
  if (!has_floor) return fit_line(line_points(cells)).weighted_rss;
  const Law& law = power_law_with_floor();
  return fit_robust(law, data_of_means(cells), {.huber_delta = kLeastSquares}).objective;
}

void draw_ladder(const Design& design, std::mt19937_64& random, PredictionTally& tally) {
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
  const SeedNoise noise = with_seeds_elsewhere(pooled_seed_noise({cells}), design.known_df,
                                               [&] { return design.sd * normal(random); });
  tally.add(predict_on_ladder(table, selection, noise, run, .95, ""),
            future.rows.front().loss("default", LossMetric::kNatsPerToken),
            residuals_of(cells, design.e > 0), noise);
}

// Where the noise between seeds is not known at all, from pairs of seeds of these sizes, or from
// runs at other D.
std::vector<Design> ladder_designs() {
  const auto once = [](int sizes) { return std::vector<int>(static_cast<std::size_t>(sizes), 1); };
  const std::vector<int> few = {1, 1, 2, 1, 1, 2, 1, 1};
  std::vector<Design> designs = {
      {"no floor; noise .5%; eight sizes; N x 3", 0, .005, few, 3},
      {"no floor; noise .5%; eight sizes; N x 10", 0, .005, few, 10},
      {"no floor; noise .5%; five sizes; N x 3", 0, .005, once(5), 3},
      {"no floor; noise .5%; three sizes; N x 3", 0, .005, once(3), 3},
      {"no floor; noise .1%, of sizes .5%; eight sizes; N x 3", 0, .001, few, 3, .005},
      {"no floor; noise .2% and a test text; eight sizes; N x 3", 0, .002, few, 3, 0, true, .98},
      {"E 1.6; noise .2%; eight sizes; N x 3", 1.6, .002, few, 3},
      {"E 1.6; noise .2%; eight sizes; N x 10", 1.6, .002, few, 10},
      {"E 1.6; noise .5%; eight sizes; N x 10", 1.6, .005, few, 10},
      {"E 1.6; noise 1%; eight sizes; N x 10", 1.6, .01, few, 10},
      {"E 1.6; noise 1%; eight sizes; N x 100", 1.6, .01, few, 100},
      {"E 1.6; noise 1%; five sizes; N x 10", 1.6, .01, once(5), 10},
      {"E 1.6; noise .5%; four sizes; N x 3", 1.6, .005, once(4), 3},
      // The bend counts as noise, with one degree of freedom.
      {"E 1.6; noise .5%; three sizes; N x 3", 1.6, .005, once(3), 3, 0, false, 1},
  };
  const auto known = [&](const std::string& what, double e, std::vector<int> seeds, int df = 0,
                         double size_sd = 0, double beyond = 3) {
    designs.push_back({what, e, .003, std::move(seeds), beyond, size_sd, false, 1, df});
  };
  known("no floor; seeds .3%, 16 df; three sizes; N x 3", 0, once(3), 16);
  known("no floor; seeds .3%, 16 df; four sizes; N x 3", 0, once(4), 16);
  known("no floor; seeds .3%, 16 df; five sizes; N x 3", 0, once(5), 16);
  known("no floor; seeds .3%, 16 df, sizes .3%; five sizes; N x 3", 0, once(5), 16, .003);
  known("no floor; seeds .3%, 16 df; eight sizes; N x 3", 0, once(8), 16);
  known("E 1.6; seeds .3%, 16 df; three sizes; N x 3", 1.6, once(3), 16);
  known("E 1.6; seeds .3%, 16 df; four sizes; N x 3", 1.6, once(4), 16);
  known("E 1.6; seeds .3%, 16 df; five sizes; N x 3", 1.6, once(5), 16);
  known("E 1.6; seeds .3%, 16 df; eight sizes; N x 10", 1.6, once(8), 16, 0, 10);
  known("no floor; seeds .3%, 1 df; three sizes; N x 3", 0, {2, 1, 1});
  known("no floor; seeds .3%, 2 df; three sizes; N x 3", 0, {2, 2, 1});
  known("no floor; seeds .3%, 2 df, sizes .3%; three sizes; N x 3", 0, {2, 2, 1}, 0, .003);
  known("no floor; seeds .3%, 3 df; three sizes; N x 3", 0, {2, 2, 2});
  known("no floor; seeds .3%, 2 df; four sizes; N x 3", 0, {2, 2, 1, 1});
  known("no floor; seeds .3%, 1 df; five sizes; N x 3", 0, {2, 1, 1, 1, 1});
  known("no floor; seeds .3%, 2 df; five sizes; N x 3", 0, {2, 2, 1, 1, 1});
  known("no floor; seeds .3%, 2 df, sizes .3%; five sizes; N x 3", 0, {2, 2, 1, 1, 1}, 0, .003);
  known("no floor; seeds .3%, 4 df; five sizes; N x 3", 0, {2, 2, 2, 2, 1});
  known("no floor; seeds .3%, 1 df; eight sizes; N x 3", 0, {2, 1, 1, 1, 1, 1, 1, 1});
  known("no floor; seeds .3%, 2 df; eight sizes; N x 3", 0, {2, 2, 1, 1, 1, 1, 1, 1});
  known("E 1.6; seeds .3%, 1 df; four sizes; N x 3", 1.6, {2, 1, 1, 1});
  known("E 1.6; seeds .3%, 2 df; four sizes; N x 3", 1.6, {2, 2, 1, 1});
  known("E 1.6; seeds .3%, 4 df; four sizes; N x 3", 1.6, {2, 2, 2, 2});
  known("E 1.6; seeds .3%, 1 df; five sizes; N x 3", 1.6, {2, 1, 1, 1, 1});
  known("E 1.6; seeds .3%, 2 df; five sizes; N x 3", 1.6, {2, 2, 1, 1, 1});
  known("E 1.6; seeds .3%, 2 df, sizes .3%; five sizes; N x 3", 1.6, {2, 2, 1, 1, 1}, 0, .003);
  known("E 1.6; seeds .3%, 3 df; five sizes; N x 3", 1.6, {2, 2, 2, 1, 1});
  known("E 1.6; seeds .3%, 4 df; five sizes; N x 3", 1.6, {2, 2, 2, 2, 1});
  known("E 1.6; seeds .3%, 4 df at other D; five sizes; N x 3", 1.6, once(5), 4);
  known("E 1.6; seeds .3%, 1 df; eight sizes; N x 10", 1.6, {2, 1, 1, 1, 1, 1, 1, 1}, 0, 0, 10);
  known("E 1.6; seeds .3%, two everywhere; five sizes; N x 3", 1.6, {2, 2, 2, 2, 2});
  known("E 1.6; seeds .3%, two everywhere; eight sizes; N x 3", 1.6, {2, 2, 2, 2, 2, 2, 2, 2});
  known("E 1.6; seeds .3%, four everywhere; eight sizes; N x 3", 1.6, {4, 4, 4, 4, 4, 4, 4, 4});
  const auto on_text = [&](const std::string& what, double e, std::vector<int> seeds) {
    designs.push_back({what, e, .002, std::move(seeds), 3, 0, true, 1});
  };
  on_text("no floor; noise .2% and a test text; three sizes; N x 3", 0, once(3));
  on_text("no floor; noise .2% and a test text; five sizes; N x 3", 0, once(5));
  on_text("E 1.6; noise .2% and a test text; four sizes; N x 3", 1.6, once(4));
  on_text("E 1.6; noise .2% and a test text; five sizes; N x 3", 1.6, once(5));
  on_text("E 1.6; noise .2% and a test text; eight sizes; N x 3", 1.6, once(8));
  return designs;
}

TEST(Coverage, OfPredictionsOnALadder) {
  std::printf(
      "| design | interval | smallest residuals | smallest beside the seeds | high over low, less "
      "1 | floor's law | none |\n|---|---|---|---|---|---|---|\n");
  unsigned seed = 501;
  const int n = prediction_simulations();
  for (const Design& design : ladder_designs()) {
    std::mt19937_64 random(seed++);
    PredictionTally tally;
    for (int i = 0; i < n; ++i) draw_ladder(design, random, tally);
    const int of_quarter = tally.covered_of_small_residuals();
    std::printf("| %s | %s | %s | %s | %.3f | %.2f | %.3f |\n", design.what.c_str(),
                share(tally.covered, n).c_str(), share(of_quarter, n / 4).c_str(),
                tally.small_ratio_share().c_str(), tally.mean_width(), double(tally.floors) / n,
                double(tally.missing) / n);
    std::fflush(stdout);
    // Where nothing is known of the noise but the residuals, they cannot be told to be lucky.
    if (tally.knows_noise()) {
      EXPECT_TRUE(covers(of_quarter, n / 4, design.known_df > 0 ? .92 : .87, 1)) << design.what;
      EXPECT_TRUE(covers(tally.covered_of_small_ratio(), n / 4, .92, 1)) << design.what;
    }
    EXPECT_TRUE(covers(tally.covered, n, .93, design.highest)) << design.what;
    EXPECT_LE(tally.missing, .01 * n) << design.what;
  }
}

// One more run of a straight line whose place is known: of its error all is noise. How often each
// candidate for the scale of that noise holds it, where residuals and seeds have so few degrees of
// freedom.
struct Scales {
  double larger, pooled, seeds;  // squared reaches

  Scales(double rss, int df, double seed_variance, int known_df)
      : larger(allowed_rise(rss, df, {seed_variance, double(known_df)}, .95)),
        pooled(quantile(df + known_df) * (rss + known_df * seed_variance) / (df + known_df)),
        seeds(quantile(known_df) * seed_variance) {}
  static double quantile(int df) {
    static std::map<int, double> known;
    const auto [at, is_new] = known.try_emplace(df, 0);
    if (is_new) at->second = f_quantile(.95, 1, df);
    return at->second;
  }
};

TEST(Coverage, OfScalesOfTheNoise) {
  std::printf(
      "| residual df, of seeds | larger of two | smallest residuals | smallest beside the seeds | "
      "sizes scatter: larger | sizes scatter: pooled | seeds alone too | smallest residuals | "
      "times "
      "as wide |\n|---|---|---|---|---|---|---|---|---|\n");
  std::mt19937_64 random(581);
  std::normal_distribution<double> normal;
  const auto squares = [&](int df) {
    double sum = 0;
    for (int i = 0; i < df; ++i) sum += std::pow(normal(random), 2);
    return sum;
  };
  const int n = 10 * prediction_simulations();
  for (const int df : {1, 2, 3, 6}) {
    for (const int known_df : {1, 2, 4, 16}) {
      std::vector<PredictionTally::Look> of_larger, of_all_three;
      double widened = 0;
      int larger_of_sizes = 0, pooled_of_sizes = 0;
      for (int i = 0; i < n; ++i) {
        const double error = squares(1), rss = squares(df), seeds = squares(known_df) / known_df;
        const Scales scales(rss, df, seeds, known_df);
        const double largest = std::max(scales.larger, scales.seeds);
        of_larger.push_back({rss, seeds, error <= scales.larger});
        of_all_three.push_back({rss, seeds, error <= largest});
        widened += 0.5 * std::log(largest / scales.larger) / n;
        const Scales of_sizes(2 * rss, df, seeds, known_df);
        larger_of_sizes += 2 * error <= of_sizes.larger;
        pooled_of_sizes += 2 * error <= of_sizes.pooled;
      }
      const PredictionTally larger{of_larger}, three{of_all_three};
      const double quarter = larger.quarter();
      std::printf("| %d, %d | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.2f |\n", df,
                  known_df, double(larger.covered_looks()) / n,
                  larger.covered_of_small_residuals() / quarter,
                  larger.covered_of_small_ratio() / quarter, double(larger_of_sizes) / n,
                  double(pooled_of_sizes) / n, double(three.covered_looks()) / n,
                  three.covered_of_small_residuals() / quarter, std::exp(widened));
      EXPECT_TRUE(covers(larger.covered_looks(), n, .94, 1)) << df << ", " << known_df;
      EXPECT_TRUE(covers(larger.covered_of_small_ratio(), larger.quarter(), .94, 1))
          << df << ", " << known_df;
      EXPECT_TRUE(covers(larger_of_sizes, n, .94, 1)) << df << ", " << known_df;
    }
  }
}

}  // namespace
}  // namespace scalelaw
