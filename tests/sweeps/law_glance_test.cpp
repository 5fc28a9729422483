// The line through what is complete, on data whose law is known.
#include "sweeps/status/law_glance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace scalelaw {
namespace {

struct Sweep {
  Plan plan;
  std::vector<CellStatus> statuses;

  Sweep() { plan.swept = {"model.d_model", "seeds.init", "train.learning_rate"}; }

  // A complete run.
  void add(const std::string& arm, double n_params, double loss, int64_t seed = 1,
           double rate = 0.01, const std::string& block = "sizes", int64_t tokens = 1'000'000) {
    PlannedCell cell;
    cell.n_params = n_params;
    cell.train_tokens = tokens;
    cell.config.seeds.init = seed;
    cell.config.train.learning_rate = rate;
    cell.places = {{arm, block}};
    plan.cells.push_back(cell);
    CellStatus status;
    status.state = CellState::kComplete;
    status.loss_nats = loss;
    statuses.push_back(status);
  }
  void add_law(const std::string& arm, double slope) {
    for (const double n : {1e3, 4e3, 1.6e4, 6.4e4}) add(arm, n, 10 * std::pow(n, -slope));
  }
  std::vector<LawGlance> laws() const { return LawGlances(plan).of(statuses); }
};

TEST(LawGlance, IsExactOnAPowerLaw) {
  Sweep sweep;
  sweep.add_law("lstm", 0.0625);
  sweep.add_law("transformer", 0.125);
  const std::vector<LawGlance> laws = sweep.laws();
  ASSERT_EQ(laws.size(), 2u);
  EXPECT_EQ(laws[0].arm, "lstm");
  EXPECT_NEAR(laws[0].slope.value(), 0.0625, 1e-12);
  EXPECT_NEAR(laws[1].slope.value(), 0.125, 1e-12);
  EXPECT_NEAR(laws[1].standard_error.value(), 0, 1e-7);
  EXPECT_EQ(laws[1].points.size(), 4u);
  EXPECT_EQ(laws[1].runs, 4);
}

// ln L = 0, 0, 1 over ln N = 0, 1, 2: slope 1/2, residuals 1/6, -2/6, 1/6, so that the error is
// sqrt(1/6 / 1 / 2).
TEST(LawGlance, HasTheErrorOfItsResiduals) {
  Sweep sweep;
  sweep.add("a", 1, 1);
  sweep.add("a", std::exp(1), 1);
  sweep.add("a", std::exp(2), std::exp(1));
  const LawGlance law = sweep.laws().at(0);
  EXPECT_NEAR(law.slope.value(), -0.5, 1e-12);
  EXPECT_NEAR(law.standard_error.value(), std::sqrt(1.0 / 12), 1e-12);
}

TEST(LawGlance, TakesTheMeanOfSeedsAndTheBestOfRecipes) {
  Sweep sweep;
  sweep.add("a", 100, 3.0, 1);
  sweep.add("a", 100, 2.0, 2);
  sweep.add("a", 100, 2.75, 1, 0.1);
  sweep.add("a", 100, 2.75, 2, 0.1);
  const LawGlance law = sweep.laws().at(0);
  ASSERT_EQ(law.points.size(), 1u);
  EXPECT_DOUBLE_EQ(law.points[0].loss_nats, 2.5);
  EXPECT_EQ(law.runs, 4);
}

TEST(LawGlance, MixesNeitherBlocksNorHorizonsAndCountsWhatIsCompleteAlone) {
  Sweep sweep;
  sweep.add_law("a", 0.1);
  sweep.add("a", 1e6, 9, 1, 0.01, "noise");
  sweep.add("a", 1e6, 9, 1, 0.01, "sizes", 2'000'000);
  for (const CellState state : {CellState::kRunning, CellState::kDiverged, CellState::kExcluded}) {
    sweep.add("a", 1e6, 9);
    sweep.statuses.back().state = state;
  }
  sweep.add("a", 1e6, std::nan(""));
  const std::vector<LawGlance> laws = sweep.laws();
  ASSERT_EQ(laws.size(), 1u);
  EXPECT_NEAR(laws[0].slope.value(), 0.1, 1e-12);
}

TEST(LawGlance, IsNotSaidOfTwoSizes) {
  Sweep sweep;
  sweep.add("a", 1000, 3.5);
  sweep.add("a", 1000, 3.5, 2);
  sweep.add("a", 2000, 3.25);
  const std::vector<LawGlance> laws = sweep.laws();
  EXPECT_FALSE(laws.at(0).slope);
  EXPECT_TRUE(law_plot(laws, 80).empty());
  EXPECT_EQ(law_lines(sweep.plan, laws, 80),
            (std::vector<std::string>{
                "law forming (N non_embedding): a glance, `scalelaw fit` is the analysis",
                "  arm  block   D  L ~ N^-  s.e.  sizes  runs         N              loss",
                "  a    sizes  1M        -     -      2     3  1k .. 2k  3.5000 .. 3.2500"}));
  EXPECT_TRUE(law_lines(Plan(), {}, 80).empty());
}

TEST(LawGlance, ANarrowTableKeepsTheLaw) {
  Sweep sweep;
  sweep.add_law("transformer", 0.2);
  for (int columns = 30; columns < 120; ++columns) {
    const std::vector<std::string> lines = law_lines(sweep.plan, sweep.laws(), columns);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_LE(lines[2].size(), static_cast<std::size_t>(std::max(columns, 37))) << columns;
    EXPECT_NE(lines[1].find("L ~ N^-   s.e."), std::string::npos) << lines[1];
    EXPECT_NE(lines[2].find("0.200  0.000"), std::string::npos) << lines[2];
  }
  EXPECT_EQ(law_lines(sweep.plan, sweep.laws(), 60).at(1),
            "  arm          block   D  L ~ N^-   s.e.  sizes  runs");
}

// Equal cells of one block are one run.
TEST(LawGlance, CountsARunOnceWhereverItIsAskedFor) {
  Sweep sweep;
  sweep.add("a", 100, 3.0);
  sweep.plan.cells[0].places = {{"a", "sizes"}, {"a", "sizes"}, {"b", "sizes"}};
  const std::vector<LawGlance> laws = sweep.laws();
  ASSERT_EQ(laws.size(), 2u);
  EXPECT_EQ(laws[0].runs, 1);
  EXPECT_EQ(laws[1].arm, "b");
}

TEST(LawPlot, AStraightLineIsOne) {
  Sweep sweep;
  sweep.add_law("lstm", 0.0);
  sweep.add_law("transformer", 0.2);
  std::string plot = "\n";
  for (const std::string& line : law_plot(sweep.laws(), 47)) plot += line + "\n";
  EXPECT_EQ(plot, R"(
  10.0000 |l          l           l          l
          |
          |
          |
          |
          |
          |
          |t
          |           t
          |
          |                       t
   1.0934 |                                  t
          +-----------------------------------
           1k                              64k
           loss over N, both logarithmic:
             l lstm, t transformer
)");
}

TEST(LawPlot, TellsArmsOfOneLetterApart) {
  Sweep sweep;
  sweep.add_law("small", 0.1);
  sweep.add_law("stable", 0.1);
  const std::vector<std::string> plot = law_plot(sweep.laws(), 80);
  EXPECT_NE(plot.front().find('*'), std::string::npos) << plot.front();
  EXPECT_TRUE(plot.back().ends_with("a small, b stable, * several")) << plot.back();
}

}  // namespace
}  // namespace scalelaw
