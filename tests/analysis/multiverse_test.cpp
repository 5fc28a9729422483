// The same exponent by many ways.
#include "analysis/multiverse.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/report/sections.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

class MultiverseTest : public testing::Test {
 protected:
  Study study_of(const std::vector<SyntheticRun>& runs) {
    LawOptions options;
    options.bootstrap_replicates = 0;
    return analyse({write_synthetic_sweep(temp_.path(), "s", runs)}, options);
  }
  TempDir temp_;
};

TEST_F(MultiverseTest, OfAnExactLawHasOneSlopeByItsOwnCount) {
  const Study study = study_of(power_law_runs("a", 3, 0.07, 0, 8, 1, 1));
  ASSERT_EQ(study.multiverse.size(), 1u);
  const Multiverse& m = study.multiverse.front();
  EXPECT_EQ(m.rows.size(), 9u);  // three counts, three choices of sizes
  for (const MultiverseRow& row : m.rows) {
    EXPECT_EQ(row.sizes, row.left_out == SizesLeftOut::kNone ? 8 : 7);
    if (row.n_count != NCount::kNonEmbedding) continue;
    for (const auto& slope : {row.least_squares, row.huber, row.absolute}) {
      ASSERT_TRUE(slope);
      EXPECT_NEAR(*slope, 0.07, 1e-6);
    }
    EXPECT_FALSE(row.floor_alpha) << "there is no floor";
  }
  const std::vector<double> slopes = m.slopes();
  EXPECT_GT(*std::ranges::max_element(slopes), 0.08) << "with embeddings N grows more slowly";
}

TEST_F(MultiverseTest, ShowsWhatOneSizeAndOneOutlierDecide) {
  std::vector<SyntheticRun> runs = power_law_runs("a", 3, 0.07, 0, 8, 1, 1);
  const auto largest = std::ranges::max_element(runs, {}, &SyntheticRun::d_model);
  largest->loss_nats *= 1.05;
  const Study study = study_of(runs);
  for (const MultiverseRow& row : study.multiverse.front().rows) {
    if (row.n_count != NCount::kNonEmbedding || row.left_out == SizesLeftOut::kSmallest) continue;
    if (row.left_out == SizesLeftOut::kLargest) {
      EXPECT_NEAR(*row.least_squares, 0.07, 1e-6);
    } else {
      EXPECT_LT(*row.least_squares, 0.068);
      EXPECT_NEAR(*row.absolute, 0.07, 5e-4);
    }
  }
}

TEST_F(MultiverseTest, ADifferenceSaysInHowManyWaysItKeepsItsSign) {
  std::vector<SyntheticRun> runs = power_law_runs("steep", 3, 0.09, 0.001, 8, 1, 1);
  const std::vector<SyntheticRun> flat = power_law_runs("flat", 3, 0.07, 0.001, 8, 1, 2);
  runs.insert(runs.end(), flat.begin(), flat.end());
  const Study study = study_of(runs);
  const MultiverseDifference d = difference(study.multiverse[0], study.multiverse[1]);
  EXPECT_EQ(d.ways, 27);
  EXPECT_EQ(d.positive, 27);
  EXPECT_GT(d.low, 0.01);
  const Conclusions found = conclusions(study);
  EXPECT_TRUE(std::ranges::any_of(found.support, [](const std::string& sentence) {
    return sentence.find("keeps its sign in all 27") != std::string::npos;
  }));
}

TEST_F(MultiverseTest, OfThreeSizesLeavesNoneOut) {
  const Study study = study_of(power_law_runs("a", 3, 0.07, 0.001, 3, 1, 1));
  EXPECT_EQ(study.multiverse.front().rows.size(), 3u);
}

}  // namespace
}  // namespace scalelaw
