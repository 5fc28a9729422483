// How often the intervals of the frontier hold the truth, on simulated IsoFLOP grids. Prints the
// tables of docs/studies/frontier.md; SCALELAW_COVERAGE_SIMULATIONS=2000 repeats them at their full
// size.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "analysis/frontier/frontier.h"
#include "tests/analysis/coverage_tally.h"
#include "tests/analysis/isoflop_grid.h"

namespace scalelaw {
namespace {

struct FrontierDesign {
  std::string what;
  GridDesign grid;
};

std::vector<double> log_spaced(double low, double high, int number) {
  std::vector<double> values;
  for (int i = 0; i < number; ++i) {
    values.push_back(low * std::pow(high / low, double(i) / (number - 1)));
  }
  return values;
}

std::vector<FrontierDesign> frontier_designs() {
  std::vector<FrontierDesign> designs;
  const auto add = [&](const std::string& what) -> GridDesign& {
    designs.push_back({what, {}});
    return designs.back().grid;
  };
  add("5 budgets x 7 sizes, centred; noise .2%");
  add("5 x 7, centre drifts from 1 to 1/2; .2%").last_centre = .5;
  add("5 x 7, centred; noise .1% to .4%, growing with C").noise = .001;
  designs.back().grid.noise_growth = 4;
  add("5 x 5, centred; .5%").sizes = 5;
  designs.back().grid.noise = .005;
  add("3 x 7, centred; .2%").budgets = log_spaced(1e18, 1e20, 3);
  add("8 x 6 over two decades of C, centred; .5%").budgets = log_spaced(1e18, 1e20, 8);
  designs.back().grid.sizes = 6;
  designs.back().grid.noise = .005;
  GridDesign& steep = add("5 x 7, alpha .465, beta .155, centre drifts; .2%");
  steep.surface.alpha = .465;
  steep.surface.beta = .155;
  steep.last_centre = .5;
  GridDesign& wrong = add("5 x 7, centred; .2%; another form: outer exponent .8");
  wrong.surface.outer = .8;
  return designs;
}

// How many intervals there are of one quantity, and how many hold it.
struct Held {
  int there = 0, held = 0;
  void add(const std::optional<Interval>& interval, double truth) {
    if (!interval) return;
    ++there;
    held += interval->contains(truth);
  }
  std::string text() const { return there == 0 ? "-" : share(held, there); }
};

// Of one approach.
struct Tally {
  Held exponent, n, n_beyond, loss, loss_beyond, bootstrapped, n_bootstrapped;
};

void look(const Frontier& found, const KnownSurface& truth, std::map<ApproachKind, Tally>& tally) {
  for (const Approach& a : found.approaches) {
    if (!a.stands() || a.kind == ApproachKind::kEnvelope) continue;
    Tally& t = tally[a.kind];
    const BudgetEstimate &inside = a.at.front(), &beyond = a.at.back();
    t.exponent.add(a.exponent.interval, truth.exponent());
    t.n.add(inside.n.interval, truth.best_n(inside.budget));
    t.n_beyond.add(beyond.n.interval, truth.best_n(beyond.budget));
    t.loss.add(inside.loss.interval, truth.best_loss(inside.budget));
    t.loss_beyond.add(beyond.loss.interval, truth.best_loss(beyond.budget));
    t.bootstrapped.add(a.exponent.bootstrap, truth.exponent());
    t.n_bootstrapped.add(beyond.n.bootstrap, truth.best_n(beyond.budget));
  }
}

TEST(Coverage, OfFrontiers) {
  std::printf(
      "| design | approach | a | N* inside | N* at 10 x | L* inside | L* at 10 x | bootstrap, a | "
      "bootstrap, N* at 10 x | none |\n|---|---|---|---|---|---|---|---|---|---|\n");
  const char* asked = std::getenv("SCALELAW_COVERAGE_SIMULATIONS");
  const int n = asked ? std::atoi(asked) : 40;
  const int every_with_bootstrap = asked ? 5 : 1000;
  unsigned seed = 811;
  for (const FrontierDesign& design : frontier_designs()) {
    std::mt19937_64 random(seed++);
    std::map<ApproachKind, Tally> tally;
    for (int i = 0; i < n; ++i) {
      FrontierOptions options;
      options.budgets = {design.grid.budgets[design.grid.budgets.size() / 2],
                         10 * design.grid.budgets.back()};
      options.bootstrap.replicates = i % every_with_bootstrap == 1 ? 200 : 0;
      options.isoflop.seed = static_cast<uint64_t>(i) + 1;
      look(find_frontier(draw_grid(design.grid, random), options), design.grid.surface, tally);
    }
    for (const auto& [kind, t] : tally) {
      std::printf("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %.3f |\n", design.what.c_str(),
                  std::string(in_words(kind)).c_str(), t.exponent.text().c_str(),
                  t.n.text().c_str(), t.n_beyond.text().c_str(), t.loss.text().c_str(),
                  t.loss_beyond.text().c_str(), t.bootstrapped.text().c_str(),
                  t.n_bootstrapped.text().c_str(), 1 - double(t.exponent.there) / n);
      std::fflush(stdout);
      // What is labelled otherwise in measured_frontier_coverage.cpp may hold more often.
      EXPECT_TRUE(covers(t.exponent.held, t.exponent.there, .93, 1))
          << design.what << ", " << in_words(kind);
    }
  }
}

}  // namespace
}  // namespace scalelaw
