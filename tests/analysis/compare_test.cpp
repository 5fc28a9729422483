#include "analysis/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/crossing.h"
#include "analysis/fitting/distributions.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

// Runs in memory: one width a size, N = 24 d_model^2.
void add_runs(RunTable& table, const std::string& arm, double slope, double level, double noise,
              int sizes, int seeds, std::mt19937_64& random, double decades = 3) {
  std::normal_distribution<double> normal;
  for (int i = 0; i < sizes; ++i) {
    for (int seed = 0; seed < seeds; ++seed) {
      RunRow row;
      row.arm = arm;
      row.record.recipe_hash = arm + std::to_string(i);
      row.folder_name = row.record.recipe_hash + "_" + std::to_string(seed);
      row.record.content_hash = row.folder_name;
      row.record.shape.n_vocab = 512;
      row.record.train_tokens = 1'000'000;
      const double n = std::rint(1e3 * std::pow(10.0, decades * i / (sizes - 1)));
      row.record.counts.parameters.attention = static_cast<int64_t>(n);
      TestResult& test = row.record.test["default"];
      test.loss_nats = level * std::pow(n / 1e4, -slope) * std::exp(noise * normal(random));
      test.standard_error_nats = 0.01;
      table.rows.push_back(row);
    }
  }
}

LawOptions options_without_bootstrap() {
  LawOptions options;
  options.selection.test_set = "default";
  options.selection.train_tokens = 1e6;
  options.bootstrap_replicates = 0;
  return options;
}

Comparison compare(const RunTable& table, const LawOptions& options) {
  const std::vector<ArmLaws> laws = fit_arms(table, NCount::kNonEmbedding, options);
  return compare_all(table, laws, options).front();
}

bool says(const std::vector<std::string>& remarks, const std::string& part) {
  return std::any_of(remarks.begin(), remarks.end(), [&](const std::string& remark) {
    return remark.find(part) != std::string::npos;
  });
}

TEST(Comparison, FindsADifferenceOfSlopesAndCoversIt) {
  std::mt19937_64 random(1);
  RunTable table;
  add_runs(table, "steep", .11, 2.4, .003, 8, 1, random);
  add_runs(table, "flat", .09, 2.4, .003, 8, 1, random);
  const Comparison c = compare(table, options_without_bootstrap());
  EXPECT_LT(c.p, .001);
  EXPECT_TRUE(c.interval.contains(.02));
  EXPECT_GT(c.df, 6);
  EXPECT_LE(c.df, 12);
  EXPECT_NE(c.verdict.find("steep falls more steeply with N than that of flat"), std::string::npos)
      << c.verdict;
  EXPECT_EQ(c.crossing.kind, CrossingSet::Kind::kInterval);
  EXPECT_TRUE(c.crossing.low <= 1e4 && 1e4 <= c.crossing.high);
  EXPECT_TRUE(c.crossing.set_measured);
}

TEST(Comparison, EqualArmsAreNotCalledEqual) {
  std::mt19937_64 random(3);
  RunTable table;
  add_runs(table, "a", .1, 2.4, .003, 8, 1, random);
  add_runs(table, "b", .1, 2.5, .003, 8, 1, random);
  const Comparison c = compare(table, options_without_bootstrap());
  EXPECT_GT(c.p, .05);
  EXPECT_NE(c.verdict.find("which is not equality"), std::string::npos) << c.verdict;
  EXPECT_TRUE(says(c.remarks, "is found in 80% of such studies"));
  EXPECT_NEAR(t_test_power(c.detectable, c.standard_error, c.df, .05), .8, 1e-6);
  EXPECT_NEAR(t_test_power(c.detectable_in_half, c.standard_error, c.df, .05), .5, 1e-6);
  EXPECT_NE(c.crossing.kind, CrossingSet::Kind::kInterval);
  EXPECT_TRUE(says(c.remarks, "is not determined"));
}

TEST(Comparison, FTestOnCellMeansHoldsItsLevelWithNoiseBetweenSizes) {
  std::mt19937_64 random(11);
  std::normal_distribution<double> normal;
  int rejected = 0, covered = 0;
  constexpr int kSimulations = 400;
  for (int i = 0; i < kSimulations; ++i) {
    RunTable table;
    for (const std::string arm : {"a", "b"}) {
      RunTable one;
      add_runs(one, arm, .1, 2.4, .003, 8, 3, random);
      double of_size = 0;
      for (std::size_t k = 0; k < one.rows.size(); ++k) {
        if (k % 3 == 0) of_size = .004 * normal(random);  // common to a size's seeds
        one.rows[k].record.test["default"].loss_nats *= std::exp(of_size);
        table.rows.push_back(one.rows[k]);
      }
    }
    const Comparison c = compare(table, options_without_bootstrap());
    rejected += c.p < .05;
    covered += c.interval.contains(0);
  }
  // Four standard deviations of a binomial share at .05 and 400 are .044.
  EXPECT_NEAR(static_cast<double>(rejected) / kSimulations, .05, .044);
  EXPECT_EQ(rejected + covered, kSimulations);
}

TEST(Comparison, FreeFloorsKeepEqualExponentsEqual) {
  std::mt19937_64 random(5);
  RunTable table;
  add_runs(table, "a", .3, 1, 0, 8, 1, random);
  add_runs(table, "b", .3, 1.5, 0, 8, 1, random);
  std::normal_distribution<double> normal;
  for (RunRow& row : table.rows) {
    double& loss = row.record.test["default"].loss_nats;
    loss = (loss + (row.arm == "a" ? 1.8 : 1.7)) * std::exp(.002 * normal(random));
  }
  const Comparison c = compare(table, options_without_bootstrap());
  ASSERT_EQ(c.floor.status, FitStatus::kConverged) << c.floor.why;
  EXPECT_EQ(c.floor.df, 10);
  EXPECT_GT(c.floor.p, .01);
  EXPECT_NEAR(c.floor.shared_alpha, .3, .05);
  EXPECT_LT(c.p, .05);  // straight lines through them differ: the floor's doing
}

TEST(Comparison, LawsWithoutFloorsHaveATestOfFloorsToo) {
  std::mt19937_64 random(15);
  int at_zero = 0;
  for (int i = 0; i < 20; ++i) {
    RunTable table;
    add_runs(table, "a", .11, 2.4, .003, 8, 1, random);
    add_runs(table, "b", .09, 2.4, .003, 8, 1, random);
    const LawOptions options = options_without_bootstrap();
    const std::vector<ArmLaws> laws = fit_arms(table, NCount::kNonEmbedding, options);
    at_zero += laws[0].floor.e() == 0 || laws[1].floor.e() == 0;
    const Comparison c = compare_all(table, laws, options).front();
    EXPECT_EQ(c.floor.status, FitStatus::kConverged) << c.floor.why;
    EXPECT_GT(c.floor.alpha_a, c.floor.alpha_b);
  }
  EXPECT_GT(at_zero, 5);
}

TEST(Comparison, ExponentsSmallerThanAnyCoarserGridAreCompared) {
  std::mt19937_64 random(16);
  RunTable table;
  add_runs(table, "a", .015, 2.4, 1e-5, 8, 1, random);
  add_runs(table, "b", .015, 2.5, 1e-5, 8, 1, random);
  const FloorComparison c = compare(table, options_without_bootstrap()).floor;
  ASSERT_EQ(c.status, FitStatus::kConverged) << c.why;
  EXPECT_NEAR(c.shared_alpha, .015, .003);
  EXPECT_GT(c.p, .01);
}

TEST(Comparison, ArmsThatShareRunsAreWarnedOf) {
  std::mt19937_64 random(9);
  RunTable table;
  add_runs(table, "a", .11, 2.4, .003, 6, 1, random);
  add_runs(table, "b", .1, 2.4, .003, 6, 1, random);
  EXPECT_TRUE(compare(table, options_without_bootstrap()).warnings.empty());
  table.rows[6].record = table.rows[0].record;
  const Comparison c = compare(table, options_without_bootstrap());
  ASSERT_EQ(c.warnings.size(), 1u);
  EXPECT_NE(c.warnings[0].find("a and b share 1 run:"), std::string::npos) << c.warnings[0];
}

TEST(Comparison, ArmsTestedOnDifferentTextsKeepTheirLawsButAreNotCompared) {
  std::mt19937_64 random(10);
  RunTable table;
  for (const char* arm : {"a", "b", "c"}) add_runs(table, arm, .1, 2.4, .003, 6, 1, random);
  for (RunRow& row : table.rows) {
    if (row.arm == "b") row.record.train_hash = "other";
    if (row.arm == "c") row.record.test["default"].token_hash = "other";
  }
  const LawOptions options = options_without_bootstrap();
  const std::vector<ArmLaws> laws = fit_arms(table, NCount::kNonEmbedding, options);
  EXPECT_EQ(laws[2].power.status, FitStatus::kConverged);
  const std::vector<Comparison> all = compare_all(table, laws, options);
  EXPECT_EQ(all[0].status, FitStatus::kConverged);
  EXPECT_EQ(all[0].pairs, 1);  // the only one that can be compared
  ASSERT_EQ(all[0].warnings.size(), 1u);
  EXPECT_NE(all[0].warnings[0].find("were trained on different texts"), std::string::npos);
  EXPECT_EQ(all[1].status, FitStatus::kNotComparable);
  EXPECT_NE(all[1].verdict.find("tested on different texts"), std::string::npos) << all[1].verdict;
}

TEST(ArmLaws, AFloorIsBootstrappedOverRuns) {
  std::mt19937_64 random(12);
  RunTable table;
  add_runs(table, "a", .3, 1, 0, 8, 2, random);
  std::normal_distribution<double> normal;
  for (RunRow& row : table.rows) {
    double& loss = row.record.test["default"].loss_nats;
    loss = (loss + 1.8) * std::exp(.003 * normal(random));
  }
  LawOptions options = options_without_bootstrap();
  options.bootstrap_replicates = 200;
  const FloorBootstrap one =
      fit_arms(table, NCount::kNonEmbedding, options).front().floor.bootstrap;
  ASSERT_TRUE(one.e && one.alpha);
  EXPECT_TRUE(one.e->contains(1.8)) << one.e->low << " " << one.e->high;
  EXPECT_TRUE(one.alpha->contains(.3));
  EXPECT_EQ(one.replicates, 200);
  EXPECT_EQ(one.stuck, 0);
  options.threads = 3;
  const FloorBootstrap three =
      fit_arms(table, NCount::kNonEmbedding, options).front().floor.bootstrap;
  EXPECT_EQ(one.e->low, three.e->low);
}

TEST(Comparison, TooFewSizesGiveAReasonInsteadOfNumbers) {
  std::mt19937_64 random(6);
  RunTable table;
  add_runs(table, "a", .1, 2.4, .003, 8, 1, random);
  add_runs(table, "b", .1, 2.4, .003, 2, 1, random);
  const Comparison c = compare(table, options_without_bootstrap());
  EXPECT_EQ(c.status, FitStatus::kTooFewPoints);
  EXPECT_NE(c.verdict.find("cannot be compared: arm b: 2 sizes"), std::string::npos) << c.verdict;
}

TEST(Comparison, SeveralPairsAreAdjustedByHolm) {
  std::mt19937_64 random(7);
  RunTable table;
  add_runs(table, "a", .1, 2.4, .01, 6, 1, random);
  add_runs(table, "b", .104, 2.4, .01, 6, 1, random);
  add_runs(table, "c", .112, 2.4, .01, 6, 1, random);
  const LawOptions options = options_without_bootstrap();
  const std::vector<ArmLaws> laws = fit_arms(table, NCount::kNonEmbedding, options);
  auto all = compare_all(table, laws, options);
  ASSERT_EQ(all.size(), 3u);
  std::sort(all.begin(), all.end(), [](auto& x, auto& y) { return x.p < y.p; });
  ASSERT_LT(all[0].p, .2);
  EXPECT_DOUBLE_EQ(all[0].p_holm, 3 * all[0].p);
  EXPECT_DOUBLE_EQ(all[1].p_holm, std::min(std::max(3 * all[0].p, 2 * all[1].p), 1.0));
  EXPECT_DOUBLE_EQ(all[2].p_holm, std::min(std::max(all[1].p_holm, all[2].p), 1.0));
  EXPECT_GT(all[0].p_holm, all[0].p);
}

TEST(Comparison, IntervalsAndPowerOfSeveralPairsAreByBonferroni) {
  std::mt19937_64 random(7);
  RunTable table;
  for (const char* arm : {"a", "b", "c"}) add_runs(table, arm, .1, 2.4, .01, 6, 1, random);
  add_runs(table, "short", .1, 2.4, .01, 2, 1, random);  // has no slope: makes no pair
  const LawOptions options = options_without_bootstrap();
  const std::vector<ArmLaws> laws = fit_arms(table, NCount::kNonEmbedding, options);
  const Comparison several = compare_all(table, laws, options).front();
  const Comparison alone = compare_arms(table, laws[0], laws[1], options);
  const double t = student_t_quantile(1 - .05 / 6, several.df);
  EXPECT_EQ(several.pairs, 3);
  EXPECT_NEAR(several.interval.high - several.difference, t * several.standard_error, 1e-12);
  EXPECT_NEAR(alone.interval.high - alone.difference,
              student_t_quantile(.975, alone.df) * alone.standard_error, 1e-12);
  EXPECT_GT(several.detectable, alone.detectable);
  EXPECT_GT(several.equivalence_margin, alone.equivalence_margin);
  EXPECT_NE(several.verdict.find("98.3%"), std::string::npos) << several.verdict;
  EXPECT_TRUE(says(several.remarks, "one of 3 pairs"));
}

TEST(Comparison, BootstrapIsTheSameOnAnyNumberOfThreads) {
  std::mt19937_64 random(8);
  RunTable table;
  add_runs(table, "a", .11, 2.4, .005, 8, 2, random);
  add_runs(table, "b", .1, 2.4, .005, 8, 2, random);
  LawOptions options = options_without_bootstrap();
  options.bootstrap_replicates = 300;
  const Comparison one = compare(table, options);
  options.threads = 3;
  const Comparison three = compare(table, options);
  ASSERT_TRUE(one.bootstrap_interval);
  EXPECT_EQ(one.bootstrap_interval->low, three.bootstrap_interval->low);
  EXPECT_EQ(one.bootstrap_interval->high, three.bootstrap_interval->high);
  EXPECT_EQ(one.bootstrap_replicates, 300);
  EXPECT_EQ(one.bootstrap_degenerate, 0);
}

TEST(Comparison, ReplicatesWithTooFewSizesAreCounted) {
  std::mt19937_64 random(8);
  RunTable table;
  add_runs(table, "a", .11, 2.4, .005, 8, 1, random);
  add_runs(table, "b", .1, 2.4, .005, 3, 1, random);
  LawOptions options = options_without_bootstrap();
  options.bootstrap_replicates = 300;
  // Of eleven draws each of b's three runs is missing with probability (10/11)^11 = .35.
  EXPECT_GT(compare(table, options).bootstrap_degenerate, 150);
}

TEST(Crossing, SetsTakeTheirShapeFromTheSlopes) {
  TwoLines lines{.slope_difference = .1,
                 .ln_loss_difference = .02,
                 .at_ln_n = 9,
                 .level_variance_a = 1e-6,
                 .level_variance_b = 1e-6,
                 .slope_variance_a = 1e-6,
                 .slope_variance_b = 1e-6,
                 .centre_ln_n_b = 9.2,
                 .t = 2};
  const CrossingSet inside = crossing_set(lines);
  ASSERT_EQ(inside.kind, CrossingSet::Kind::kInterval);
  EXPECT_NEAR(inside.estimate, std::exp(9.2), 1e-6);
  EXPECT_LT(inside.low, inside.estimate);
  EXPECT_GT(inside.high, inside.estimate);
  lines.slope_difference = .001;  // not told from 0, levels are: two far rays
  EXPECT_EQ(crossing_set(lines).kind, CrossingSet::Kind::kTwoRays);
  lines.ln_loss_difference = .0001;
  EXPECT_EQ(crossing_set(lines).kind, CrossingSet::Kind::kEverywhere);
}

TEST(ArmLaws, PilotsSlopesNoiseAndBendAreRecovered) {
  const TempDir temp;
  RunTable table = read_runs({write_synthetic_sweep(temp.path(), "pilot", pilot_runs())});
  LawOptions options;
  options.bootstrap_replicates = 200;
  select_runs(table, options.selection);
  const std::vector<ArmLaws> laws = fit_arms(table, NCount::kNonEmbedding, options);
  const ArmLaws &transformer = laws[0], &lstm = laws[1];
  EXPECT_EQ(transformer.power.sizes, 8);
  EXPECT_EQ(transformer.power.runs, 10);
  EXPECT_NEAR(transformer.power.slope, .107, .002);
  EXPECT_NEAR(lstm.power.slope, .086, .002);
  EXPECT_EQ(transformer.noise.seed.df, 4);
  EXPECT_NEAR(transformer.noise.seed.sd_ln_loss, .0104, .0005);
  EXPECT_TRUE(transformer.noise.evaluation_known);
  EXPECT_LT(*transformer.power.curvature_p, .05);
  EXPECT_NEAR(transformer.local_slopes.back().slope, .056, .003);
  EXPECT_FALSE(lstm.floor.floor.identified());
  const Comparison c = compare_arms(table, transformer, lstm, options);
  EXPECT_NEAR(c.standard_error, .004, .0006);
  ASSERT_TRUE(c.largest);
  EXPECT_NEAR(c.largest->loss_difference_nats, 1.820 - 1.929, .02);
  EXPECT_LT(c.largest->standard_error_nats, .006);  // unpaired it would be .018
}

TEST(ArmLaws, SlopeIntervalCoversTheTruth) {
  std::mt19937_64 random(21);
  int covered = 0;
  constexpr int kSimulations = 400;
  for (int i = 0; i < kSimulations; ++i) {
    RunTable table;
    add_runs(table, "a", .1, 2.4, .01, 8, 1, random, 2);
    covered += fit_arms(table, NCount::kNonEmbedding, options_without_bootstrap())
                   .front()
                   .power.slope_interval.contains(.1);
  }
  EXPECT_NEAR(static_cast<double>(covered) / kSimulations, .95, .044);
}

}  // namespace
}  // namespace scalelaw
