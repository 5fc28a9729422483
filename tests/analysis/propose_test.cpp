// What is proposed, against designs whose gains are worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "analysis/fitting/distributions.h"
#include "analysis/measurements/tabled_runs.h"
#include "analysis/propose/isoflop_proposals.h"
#include "analysis/propose/proposals.h"
#include "analysis/propose/run_settings.h"
#include "analysis/propose/seed_proposals.h"
#include "analysis/propose/slope_design.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

Proposals proposals_of(const std::string& csv, ProposeOptions options = {}) {
  Measurements table;
  add_csv(table, "t.csv", csv);
  const RunTable runs = tabled_runs(std::move(table), {}, options.law.selection);
  return propose(runs, options);
}

std::string fault_of(const std::string& csv, const ProposeOptions& options = {}) {
  try {
    proposals_of(csv, options);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing was refused";
}

bool says(const std::vector<std::string>& notes, const std::string& words) {
  return std::ranges::any_of(
      notes, [&](const std::string& note) { return note.find(words) != std::string::npos; });
}

// Three sizes a unit of ln N apart. t of 0.975 with 1 and 2 df: 12.7062, 4.30265.
SlopeDesign three_sizes() {
  SlopeDesign design;
  design.cells = {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}};
  design.seed_variance = 1;
  design.scale = 0.01;
  return design;
}

TEST(SlopeDesign, HalfWidthsAreTheLinesOwn) {
  const SlopeDesign design = three_sizes();
  EXPECT_NEAR(design.half_width(), 12.7062 * std::sqrt(0.01 / 2), 1e-4);
  // Sum of squares 5 about 1.5, and a degree of freedom.
  EXPECT_NEAR(design.with_size(3).half_width(), 4.30265 * std::sqrt(0.01 / 5), 1e-5);
  // Weights 1, 1, 2: centre 1.25, sum 1.5625 + 0.0625 + 2 x 0.5625 = 2.75.
  EXPECT_NEAR(design.with_seed(2).half_width(), 12.7062 * std::sqrt(0.01 / 2.75), 1e-4);
}

TEST(SlopeDesign, SizeVarianceIsWhatSeedsCannotReduce) {
  SlopeDesign design = three_sizes();
  design.seed_variance = 0;
  design.size_variance = 1;
  EXPECT_NEAR(design.with_seed(2).half_width(), design.half_width(), 1e-12);
  EXPECT_LT(design.with_size(3).half_width(), design.half_width());
}

TEST(SlopeDesign, TheTestTextsPartStays) {
  SlopeDesign design = three_sizes();
  design.text_variance = 0.5;
  for (int more = 0; more < 60; ++more) design = design.with_size(3 + more);
  EXPECT_GT(design.half_width(), 1.9 * std::sqrt(0.5));
}

TEST(FurtherSeeds, AreTheFewestThatReachThePower) {
  const double sd = 0.01, difference = 0.015;
  const auto power = [&](int more) {
    const double error = sd * std::sqrt(2.0 / (1 + more));
    return t_test_power(difference, error, 4 + 2 * more, 0.05);
  };
  const auto answer = further_seeds(difference, sd, 4, 1, 1, 0, 0.95);
  ASSERT_TRUE(answer);
  EXPECT_GE(power(answer->seeds), 0.8);
  EXPECT_LT(power(answer->seeds - 1), 0.8);
  const double now = student_t_quantile(0.975, 4) * sd * std::sqrt(2.0);
  const double then =
      student_t_quantile(0.975, 4 + 2 * answer->seeds) * sd * std::sqrt(2.0 / (1 + answer->seeds));
  EXPECT_NEAR(answer->gain, 1 - then / now, 1e-12);
  EXPECT_FALSE(further_seeds(1e-4, sd, 4, 1, 1, 0, 0.95));
  EXPECT_FALSE(further_seeds(difference, sd, 4, 1, 1, 1e-4, 0.95)) << "seeds mend no text";
}

TEST(MinimumVariance, IsOfTheSlopeAtASymmetricMinimum) {
  IsoFlop budget;
  budget.bend = 2;
  // u* = -b / 2c: variance of b over 4 c^2 = (1 / sum u^2) / 16.
  EXPECT_NEAR(minimum_variance(std::vector<double>{-1, 0, 1}, budget), 1.0 / 32, 1e-12);
  EXPECT_NEAR(minimum_variance(std::vector<double>{-2, -1, 0, 1, 2}, budget), 1.0 / 160, 1e-12);
}

// Two arms of five sizes by factors of 2, D = 1e6, noise of two runs at some.
std::string ladder() {
  std::ostringstream csv;
  csv << "arm,N,D,seed,lr,loss\n";
  const double off[] = {.004, -.006, .003, .002, -.003};
  for (int i = 0; i < 5; ++i) {
    const double n = 1000 * std::pow(2, i), loss = 5 * std::pow(n, -.1);
    csv << "a," << n << ",1e6,1," << 1 / std::sqrt(n) << ',' << loss * (1 + off[i]) << '\n';
    csv << "b," << n << ",1e6,1,.01," << loss * (1.002 - off[i]) << '\n';
  }
  csv << "a,1000,1e6,2," << 1 / std::sqrt(1000) << ',' << 5 * std::pow(1000, -.1) * 1.011 << '\n';
  return csv.str();
}

// One arm of five sizes by factors of 2, a seed each, that does not bend.
std::string ladder_of_b() {
  std::ostringstream csv;
  csv << "N,D,loss\n";
  const double off[] = {.004, -.006, .003, -.006, .004};
  for (int i = 0; i < 5; ++i) {
    const double n = 1000 * std::pow(2, i);
    csv << n << ",1e6," << 5 * std::pow(n, -.1) * (1 + off[i]) << '\n';
  }
  return csv.str();
}

TEST(Propose, ASlopesFirstRunIsTheBestGainPerFlop) {
  const Proposals found = proposals_of(ladder());
  const auto slope = std::ranges::find_if(found.proposals, [](const Proposal& p) {
    return p.kind == ProposalKind::kSlope && p.arm == "b";
  });
  ASSERT_NE(slope, found.proposals.end());
  // Below the smallest costs a fourth of what the best above does, for about the same range.
  EXPECT_EQ(slope->cell.n, 500);
  EXPECT_NEAR(slope->cell.flops, 6 * 500 * 1e6, 1);
  EXPECT_EQ(slope->cell.learning_rate, .01);
  EXPECT_FALSE(slope->cell.measured);
  // By hand: ln N of five sizes by ln 2 and one below; weights are equal but for a's.
  const Proposals only_b = proposals_of(ladder_of_b());
  ASSERT_FALSE(only_b.proposals.empty());
  const double step = std::log(2.0);
  const double now = student_t_quantile(.975, 3) / std::sqrt(10 * step * step),
               then = student_t_quantile(.975, 4) / std::sqrt(17.5 * step * step);
  EXPECT_NEAR(*only_b.proposals.front().gain, 1 - then / now, 1e-9);
}

// Layers, heads and rates that grow with the width: 12 L d^2 parameters by factors of 8.
TEST(ArmSettings, ANewShapeIsOfTheArmsKind) {
  std::vector<RunRow> rows;
  for (const int64_t width : {64, 128, 256}) {
    RunRow row;
    ModelShape& shape = row.record.shape;
    shape.d_model = width;
    shape.n_layer = width / 32;
    shape.n_head = width / 32;
    shape.n_vocab = 512;
    row.record.counts = *count(shape);
    row.record.train_tokens = 20 * std::llround(row.n(NCount::kNonEmbedding));
    row.record.learning_rate = 1. / static_cast<double>(width);
    row.record.recipe_hash = std::to_string(width);
    row.folder.path = "runs/" + std::to_string(width);
    rows.push_back(row);
  }
  const ArmSettings settings({&rows[0], &rows[1], &rows[2]}, NCount::kNonEmbedding, CCount::kSixN);
  const double n = 8 * rows[2].n(NCount::kNonEmbedding);
  const auto cell = settings.at_new_size(n);
  ASSERT_TRUE(cell);
  EXPECT_EQ(cell->shape->d_model, 512);
  EXPECT_EQ(cell->shape->n_layer, 16);
  EXPECT_EQ(cell->shape->n_head, 16);
  EXPECT_NEAR(cell->d_tokens, 20 * n, 1);
  EXPECT_NEAR(cell->flops, 6 * n * 20 * n, 1e-6 * cell->flops);
  EXPECT_NEAR(cell->learning_rate, 1. / 512, 1e-5);
  EXPECT_EQ(cell->like.path, "runs/256");
  EXPECT_FALSE(settings.at_new_size(rows[1].n(NCount::kNonEmbedding) * 1.01)) << "is there";
  const auto by_budget = settings.at_new_size(n, 1e15);
  EXPECT_NEAR(by_budget->flops, 1e15, 1e-6 * 1e15);
  EXPECT_NEAR(by_budget->d_tokens, 1e15 / 6 / n, 1);
}

TEST(Propose, ANewSizesRateFollowsTheArmsOwnLaw) {
  const Proposals found = proposals_of(ladder());
  int of_a = 0;
  for (const Proposal& p : found.proposals) {
    if (p.arm != "a" || p.cell.measured) continue;
    ++of_a;
    EXPECT_NEAR(p.cell.learning_rate * std::sqrt(p.cell.n), 1, .006);
  }
  EXPECT_GT(of_a, 0);
}

TEST(Propose, SeedsAreAskedOfBothArmsAtOnceAndAreNew) {
  ProposeOptions options;
  options.most = 100;
  const Proposals found = proposals_of(ladder(), options);
  int pairs = 0;
  for (std::size_t i = 0; i < found.proposals.size(); ++i) {
    const Proposal& p = found.proposals[i];
    if (p.cell.measured) {
      const bool twice = p.arm == "a" && p.cell.n == 1000;
      EXPECT_EQ(p.cell.first_seed, twice ? 3 : 2);
    }
    if (p.kind == ProposalKind::kSeeds && p.together == 1) ++pairs;
  }
  EXPECT_GT(pairs, 0);
}

TEST(Propose, WhatFitsIntoFlopsIsTaken) {
  ProposeOptions options;
  options.most = 100;
  const Proposals all = proposals_of(ladder(), options);
  options.flops = all.flops() / 3;
  const Proposals some = proposals_of(ladder(), options);
  EXPECT_LE(some.flops(), *options.flops);
  EXPECT_GT(some.beyond, 0);
  EXPECT_FALSE(some.proposals.empty());
  options.flops.reset();
  options.most = 2;
  EXPECT_LE(proposals_of(ladder(), options).proposals.size(), 2u);
}

TEST(Propose, TooFewSizesAskForThoseThatLack) {
  const Proposals one = proposals_of("N,D,loss\n1e6,2e7,3\n");
  ASSERT_EQ(one.proposals.size(), 2u);
  EXPECT_EQ(one.proposals[0].kind, ProposalKind::kNeeded);
  EXPECT_EQ(one.proposals[0].cell.n, 5e5) << "the cheaper first";
  EXPECT_EQ(one.proposals[1].cell.n, 2e6);
  EXPECT_FALSE(one.proposals[0].gain);
  const Proposals two = proposals_of("N,D,loss\n1e6,2e7,3\n4e6,2e7,2.8\n");
  ASSERT_EQ(two.proposals.size(), 1u);
  EXPECT_NE(two.proposals[0].reason.find("it has 2 sizes, and an interval needs 3"),
            std::string::npos);
}

TEST(Propose, SizesOfTheirOwnHorizonKeepIt) {
  std::string csv = "N,D,loss\n";
  for (const double n : {1e6, 2e6, 4e6, 8e6}) {
    csv += std::to_string(n) + "," + std::to_string(20 * n) + "," +
           std::to_string(5 * std::pow(n, -.1) * (n == 2e6 ? 1.004 : 1)) + "\n";
  }
  const Proposals found = proposals_of(csv);
  ASSERT_FALSE(found.proposals.empty());
  for (const Proposal& p : found.proposals) {
    EXPECT_NEAR(p.cell.d_tokens / p.cell.n, 20, 1e-6);
    EXPECT_NEAR(p.flops() / p.runs, 6 * p.cell.n * p.cell.d_tokens, 1e-3 * p.flops());
  }
}

// L = 2 + 0.1 (ln N - ln best)^2 at one budget of 6 N D.
std::string budget(double best, const std::vector<double>& sizes, double c = 6e12) {
  std::ostringstream csv;
  csv.precision(12);
  csv << "N,D,loss\n";
  for (const double n : sizes) {
    csv << n << ',' << c / 6 / n << ',' << 2 + .1 * std::pow(std::log(n / best), 2) << '\n';
  }
  return csv.str();
}

TEST(Propose, PastTheEdgeOfABudgetTwoSizesByItsOwnSpacing) {
  const Proposals found = proposals_of(budget(4e6, {1e5, 2e5, 4e5, 8e5}));
  ASSERT_EQ(found.proposals.size(), 2u) << found.proposals.size();
  EXPECT_EQ(found.proposals[0].kind, ProposalKind::kEdge);
  EXPECT_EQ(found.proposals[0].cell.n, 1.6e6);
  EXPECT_EQ(found.proposals[1].cell.n, 3.2e6);
  for (const Proposal& p : found.proposals) {
    EXPECT_NEAR(p.cell.flops, 6e12, 1e7);
    EXPECT_NEAR(p.cell.d_tokens, 1e12 / p.cell.n, 1);
  }
  const Proposals below = proposals_of(budget(2e4, {1e5, 2e5, 4e5, 8e5}));
  ASSERT_FALSE(below.proposals.empty());
  EXPECT_EQ(below.proposals[0].cell.n, 5e4);
}

TEST(Propose, NoEdgeWhereARunOfNearlyTheBudgetLiesPastIt) {
  const std::string edge = budget(4e6, {1e5, 2e5, 4e5, 8e5});
  const Proposals found = proposals_of(edge + "1.6e6,7e5,1.9\n");  // C 12% above
  EXPECT_TRUE(found.proposals.empty());
  EXPECT_TRUE(says(found.notes, "there are runs past it whose C is within 25%"));
  ProposeOptions options;
  options.budgets.tolerance = .2;
  const Proposals together = proposals_of(edge + "1.6e6,7e5,1.9\n", options);
  ASSERT_FALSE(together.proposals.empty());
  EXPECT_GT(together.proposals.front().cell.n, 2e6);
}

TEST(Propose, OfRatesTunedAtASizeTheBestIsFollowed) {
  std::ostringstream csv;
  csv.precision(12);
  csv << "N,D,lr,loss\n";
  for (const double n : {1e5, 2e5, 4e5, 8e5}) {
    for (const double factor : {.5, 1., 2.}) {
      csv << n << ',' << 1e12 / n << ',' << factor / std::sqrt(n) << ','
          << 2 + .1 * std::pow(std::log(n / 4e6), 2) +
                 (factor == 1   ? 0
                  : factor == 2 ? .3
                                : .1)
          << '\n';
    }
  }
  const Proposals found = proposals_of(csv.str());
  ASSERT_EQ(found.proposals.size(), 2u);
  EXPECT_NEAR(found.proposals.front().cell.learning_rate * std::sqrt(1.6e6), 1, .006);
}

TEST(Propose, ABudgetWithFewSizesOnASideGetsTheMostTelling) {
  const Proposals found = proposals_of(budget(1.6e5, {1e5, 2e5, 4e5, 8e5}));
  ASSERT_EQ(found.proposals.size(), 1u);
  const Proposal& p = found.proposals.front();
  EXPECT_EQ(p.kind, ProposalKind::kFill);
  // Of 5e4, past the end with one size, and 1.41e5, in the gap: by brute force.
  IsoFlop parabola;
  parabola.centre = std::log(1.6e5);
  parabola.bend = .1;
  const auto error = [&](std::vector<double> sizes) {
    for (double& n : sizes) n = std::log(n);
    return std::sqrt(minimum_variance(sizes, parabola));
  };
  const double now = error({1e5, 2e5, 4e5, 8e5}), end = error({1e5, 2e5, 4e5, 8e5, 5e4}),
               gap = error({1e5, 2e5, 4e5, 8e5, 1.41e5});
  EXPECT_LT(end, gap);
  EXPECT_EQ(p.cell.n, 5e4);
  EXPECT_NEAR(*p.gain, 1 - end / now, 1e-6);
  EXPECT_TRUE(proposals_of(budget(3e5, {1e5, 2e5, 4e5, 8e5})).proposals.empty());
}

TEST(Propose, WithoutTokensNoFlopsAreSpent) {
  const std::string csv = "N,loss\n1e6,3\n2e6,2.8\n4e6,2.63\n8e6,2.45\n";
  ProposeOptions options;
  options.flops = 1e15;
  EXPECT_NE(fault_of(csv, options).find("does not tell the training tokens"), std::string::npos);
  const Proposals found = proposals_of(csv);
  ASSERT_FALSE(found.proposals.empty());
  EXPECT_EQ(found.flops(), 0);
}

TEST(Propose, OfAnArmThatBendsSizesAboveAlone) {
  std::string csv = "N,D,loss\n";
  for (int i = 0; i < 6; ++i) {
    const double loss = 3 - .2 * i + .012 * i * i + (i % 2 == 0 ? .0005 : -.0005);
    csv += std::to_string(1000 << i) + ",1e6," + std::to_string(loss) + "\n";
  }
  const Proposals found = proposals_of(csv);
  EXPECT_TRUE(says(found.notes, "bends on a log-log plot"));
  ASSERT_FALSE(found.proposals.empty());
  for (const Proposal& p : found.proposals) EXPECT_GT(p.cell.n, 32000);
}

TEST(Propose, DifferencesTooSmallForSeedsAreNotBought) {
  std::string csv = "arm,N,D,seed,loss\n";
  for (const std::string arm : {"a", "b"}) {
    for (int i = 0; i < 4; ++i) {
      for (const int seed : {1, 2}) {
        const double loss = 5 * std::pow(1000 << i, -.1) * (seed == 1 ? 1.01 : .99);
        csv += arm + "," + std::to_string(1000 << i) + ",1e6," + std::to_string(seed) + "," +
               std::to_string(loss + (arm == "a" ? 1e-4 : 0)) + "\n";
      }
    }
  }
  const Proposals found = proposals_of(csv);
  EXPECT_TRUE(says(found.notes, "Seeds do not tell a and b apart at N = 1k, 2k, 4k, 8k"));
  for (const Proposal& p : found.proposals) EXPECT_NE(p.kind, ProposalKind::kSeeds);
}

Proposal seeds_at(double n, int runs, ProposalKind kind, std::optional<double> gain) {
  Proposal p;
  p.kind = kind;
  p.arm = "a";
  p.cell.n = n;
  p.cell.flops = n;
  p.runs = runs;
  p.gain = gain;
  p.reason = std::string(name(kind));
  return p;
}

TEST(Choose, ARunThatTwoReasonsAskForIsPaidOnce) {
  Proposals out;
  choose(
      {seeds_at(1000, 5, ProposalKind::kSeeds, .5), seeds_at(1000, 2, ProposalKind::kNeeded, {})},
      {}, out);
  ASSERT_EQ(out.proposals.size(), 1u);
  EXPECT_EQ(out.proposals.front().runs, 5);
  EXPECT_EQ(out.proposals.front().kind, ProposalKind::kNeeded);
  EXPECT_EQ(out.flops(), 5000);
  EXPECT_EQ(out.proposals.front().reason, "needed; seeds");
}

TEST(Choose, PicksOfASlopeAddUp) {
  Proposals out;
  choose({seeds_at(1000, 1, ProposalKind::kSlope, .2), seeds_at(1000, 1, ProposalKind::kSlope, .1)},
         {}, out);
  ASSERT_EQ(out.proposals.size(), 1u);
  EXPECT_EQ(out.proposals.front().runs, 2);
  EXPECT_NEAR(*out.proposals.front().gain, 1 - .8 * .9, 1e-12);
}

TEST(Choose, HalfAnAnswerIsNotBought) {
  Proposal a = seeds_at(1000, 2, ProposalKind::kSeeds, .5), b = a;
  a.together = 1;
  b.arm = "b";
  ProposeOptions options;
  options.flops = 3000;
  Proposals out;
  choose({a, b}, options, out);
  EXPECT_TRUE(out.proposals.empty());
  EXPECT_EQ(out.beyond, 2);
  options.flops = 4000;
  choose({a, b}, options, out);
  EXPECT_EQ(out.proposals.size(), 2u);
}

TEST(RunSettings, AreTheConfigurationsWithoutSeedsAndHow) {
  const RunSettings found = parse_run_settings(
      "spec: 1\ndata:\n  train: books\n  test:\n    my books: 512\nmodel:\n  n_ctx: 8\n"
      "seeds:\n  init: 3\nhow:\n  keep: whole\n",
      "config.yaml");
  const RunSettings expected = {
      {"data.train", "books"}, {"data.test.my books", "512"}, {"model.n_ctx", "8"}};
  EXPECT_EQ(found, expected);
}

TEST(RunSettings, AnythingElseIsRefusedWithItsLine) {
  for (const char* text :
       {"a: 1\nb", "a: 1\n b: 2", "a: 1\n  b: 2\n", "a: 1\nx: {y: 1}", "a: 1\nx: [1]", "a: 1\na: 2",
        "a: 1\nb: 1 # c", "a: 1\nb: \"x\"", "a: 1\nb: *x", "a: 1\n- b: 1", "a: 1\nb : 1",
        "a: 1\nb:1", "a: 1\nb: x: y", "a: 1\nb: 1\r"}) {
    try {
      parse_run_settings(text, "config.yaml");
      ADD_FAILURE() << text;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("config.yaml, line 2"), std::string::npos)
          << text << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace scalelaw
