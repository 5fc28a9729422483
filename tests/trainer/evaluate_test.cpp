#include "trainer/evaluate.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace scalelaw {
namespace {

TEST(Evaluate, PositionBinsDoubleAndCoverTheWindow) {
  using Bins = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(position_bins(1), (Bins{{0, 0}}));
  EXPECT_EQ(position_bins(8), (Bins{{0, 0}, {1, 1}, {2, 3}, {4, 7}}));
  EXPECT_EQ(position_bins(10), (Bins{{0, 0}, {1, 1}, {2, 3}, {4, 7}, {8, 9}}));
}

TEST(Evaluate, StepsAreLogSpacedWithoutRepeatsAndBeforeTheEnd) {
  EXPECT_EQ(evaluation_steps(2, 40), (std::vector<int64_t>{1, 3, 10, 32}));
  EXPECT_EQ(evaluation_steps(0, 40), std::vector<int64_t>{});
  const auto dense = evaluation_steps(8, 100);
  EXPECT_EQ(dense.front(), 1);
  EXPECT_LT(dense.back(), 100);
  for (std::size_t i = 1; i < dense.size(); ++i) EXPECT_LT(dense[i - 1], dense[i]);
}

}  // namespace
}  // namespace scalelaw
