// The frontier of published runs: Epoch AI's extraction of Chinchilla's, Porian et al.'s IsoFLOP
// curves, nanochat's minima by three counts of N.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "analysis/frontier/frontier.h"
#include "analysis/frontier/frontier_table.h"
#include "tests/analysis/published_tables.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

FrontierData read(const char* file, const TableReading& reading) {
  return frontier_from_table(read_measurements({published_folder() / file}, {}), reading);
}

FrontierData epoch() {
  return read("epoch_chinchilla/svg_extracted_data.csv", {.drop_highest = 5});
}

class PublishedFrontier : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(published_folder() / "porian")) {
      GTEST_SKIP() << "no published fits: set SCALELAW_TEST_DATA";
    }
  }
};

const Approach& of(const Frontier& frontier, ApproachKind kind) {
  return *std::ranges::find(frontier.approaches, kind, &Approach::kind);
}

TEST_F(PublishedFrontier, EpochsOptimumAndItsExponent) {
  FrontierOptions options;
  options.bootstrap = {.replicates = 2000, .seed = 1, .threads = 2};
  const Frontier found = find_frontier(epoch(), options);
  EXPECT_EQ(found.data.points.size(), 240u);
  EXPECT_EQ(found.data.left_out.size(), 5u);
  EXPECT_NEAR(found.compute.s, 0, 1e-12);
  EXPECT_NEAR(std::exp(found.compute.ln_k), 6, 1e-9);
  const SurfaceFrontier& huber = found.surfaces.front();
  EXPECT_NEAR(huber.fit.objective / 0.0010182740178006, 1, 1e-9);
  std::map<std::string, double> value;
  for (const LawParameter& p : chinchilla_law().published(huber.fit.theta, huber.data.centre)) {
    value[p.symbol] = p.value;
  }
  EXPECT_NEAR(value["E"], 1.817218099, 2e-8);
  EXPECT_NEAR(value["A"], 477.82587, 2e-4);
  EXPECT_NEAR(value["B"], 2143.41736, 3e-3);
  EXPECT_NEAR(value["alpha"], .347310499, 2e-8);
  EXPECT_NEAR(value["beta"], .367172433, 5e-8);
  EXPECT_NEAR(huber.approach.exponent.value, .51389952, 5e-8);
  ASSERT_TRUE(huber.approach.exponent.bootstrap);
  EXPECT_NEAR(huber.approach.exponent.bootstrap->low, .482, .004);
  EXPECT_NEAR(huber.approach.exponent.bootstrap->high, .558, .004);
  EXPECT_LE(huber.stuck + huber.degenerate, 20);
  ASSERT_TRUE(huber.approach.exponent.interval);
  EXPECT_TRUE(huber.approach.exponent.interval->contains(.513));
  EXPECT_NEAR(of(found, ApproachKind::kVariableProjection).exponent.value, .544576, 1e-6);
}

// Hoffmann's equation 4, written out.
TEST_F(PublishedFrontier, SizesTokensAndLossesAreThoseOfTheFormula) {
  FrontierOptions options;
  options.bootstrap.replicates = 0;
  options.budgets = {5.76e23};
  const Frontier found = find_frontier(epoch(), options);
  const double e = 1.817218099, a = 477.82587, b = 2143.41736, alpha = .347310499,
               beta = .367172433;
  const double g = std::pow(alpha * a / (beta * b), 1 / (alpha + beta));
  const double n = g * std::pow(5.76e23 / 6, beta / (alpha + beta)), d = 5.76e23 / 6 / n;
  const BudgetEstimate& at = found.surfaces.front().approach.at.front();
  EXPECT_NEAR(at.n.value / n, 1, 1e-5);
  EXPECT_NEAR(at.d.value / d, 1, 1e-5);
  EXPECT_NEAR(at.loss.value, e + a * std::pow(n, -alpha) + b * std::pow(d, -beta), 1e-6);
  EXPECT_TRUE(at.beyond);
  EXPECT_TRUE(at.n.interval->contains(n) && at.loss.interval->contains(at.loss.value));
}

double published(const PorianFit& fit, const std::string& column) {
  return fit.published.at(column);
}

TEST_F(PublishedFrontier, PoriansExponentsFromHisOptima) {
  const std::vector<PorianFit> fits = porian_fits();
  ASSERT_EQ(fits.size(), 15u);
  for (const PorianFit& fit : fits) {
    const FrontierData data = read("porian/porian_optimal_pairs.csv",
                                   {.maps = {"N=n_star"}, .where = fit.where, .optima = true});
    for (const bool weighted : {false, true}) {
      const Approach found = given_frontier(data.optima, {weighted, .95, {}});
      const double truth = published(fit, weighted ? "weighted.n_exponent" : "basic.n_exponent");
      EXPECT_NEAR(found.exponent.value, truth, 5e-5) << fit.name << (weighted ? " weighted" : "");
    }
  }
}

// His minima are medians over added noise of sd .002 in L on RefinedWeb and .01 on OpenWebText2, on
// a grid of 25 places a size; these are the same medians with noise in ln L.
TEST_F(PublishedFrontier, PoriansExponentsFromHisPointsByAkima) {
  double worst = 0;
  for (const PorianFit& fit : porian_fits()) {
    const FrontierData data = read("porian/porian_isoflop_points.csv", {.where = fit.where});
    IsoFlopOptions options;
    options.same_size = SameSize::kLowest;
    options.noise = (fit.name.find("owt2") == 0 ? .01 : .002) / 3.5;
    options.noise_replicates = 1000;
    std::vector<SizePoint> minima;
    for (const IsoFlop& budget : isoflops(data.points, options).budgets) {
      if (budget.akima.status != MinimumStatus::kInside) continue;
      minima.push_back({std::log(budget.budget), budget.akima.ln_n_median});
    }
    const double found = fit_size_law(minima, false).exponent;
    const double off = found - published(fit, "basic.n_exponent");
    std::printf("%-45s %.4f, off by %+.4f\n", fit.name.c_str(), found, off);
    EXPECT_LE(std::abs(off), .004) << fit.name;
    worst = std::max(worst, std::abs(off));
  }
  RecordProperty("worst", std::to_string(worst));
}

TEST_F(PublishedFrontier, NanochatsExponentDependsOnWhatNCounts) {
  const auto exponents = [](const std::string& convention) {
    const FrontierData data =
        read("nanochat/nanochat_isoflop_minima_jan2026.csv",
             {.where = "param_convention == \"" + convention + "\"", .optima = true});
    const Approach found = given_frontier(data.optima, {});
    return std::pair(found.exponent.value, found.d_exponent);
  };
  const auto round2 = [](double x) { return std::round(100 * x) / 100; };
  const std::vector<std::string> names = nanochat_conventions();
  ASSERT_EQ(names.size(), 3u);
  std::map<double, double> found;
  for (const std::string& name : names) {
    const auto [a, b] = exponents(name);
    found[round2(a)] = b;
  }
  ASSERT_EQ(found.size(), 3u);
  EXPECT_NEAR(found.at(.37), .501, 5e-4);
  EXPECT_NEAR(found.at(.54), .489, 5e-4);
  EXPECT_NEAR(found.at(.70), .406, 5e-4);
}

}  // namespace
}  // namespace scalelaw
