#include "sweeps/plan/rate_edges.h"

#include <gtest/gtest.h>

#include "tests/sweeps/plan_fixture.h"

namespace scalelaw {
namespace {

class RateEdges : public PlanTest {
 protected:
  // Rates 0.01, 0.02 and 0.04 of two widths, with these losses; one below 0 diverged, 0 is missing.
  std::vector<std::string> warnings(const std::vector<double>& losses,
                                    const std::string& more = "") const {
    const Plan planned = plan(kBase +
                              "grid: {model.d_model: [16, 32], train.learning_rate: "
                              "[0.01, 0.02, 0.04]}\n" +
                              more);
    std::vector<CellStatus> statuses(planned.cells.size());
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      const double loss = losses[i % losses.size()];
      if (loss == 0) continue;
      statuses[i].state = loss < 0 ? CellState::kDiverged : CellState::kComplete;
      if (loss > 0) statuses[i].loss_nats = loss;
    }
    return rate_edge_warnings(planned, statuses);
  }
};

TEST_F(RateEdges, ABestWithinTheScanIsAnOptimum) {
  EXPECT_TRUE(warnings({3, 2, 2.5}).empty());
}

TEST_F(RateEdges, ABestAtAnEdgeIsTold) {
  ASSERT_EQ(warnings({3, 2, 1, 3, 2, 2.5}).size(), 1u);
  EXPECT_EQ(warnings({3, 2, 1, 3, 2, 2.5}).front(),
            "1 of 2 scans of the learning rate have their best at an edge (transformer 1 x 16: "
            "0.04, the highest of 3); that is a bound and no optimum: add rates beyond it");
  EXPECT_NE(warnings({1, 2, 3}).front().find("the lowest of 3"), std::string::npos);
}

TEST_F(RateEdges, WhatDivergedBoundsAScanFromAbove) {
  EXPECT_TRUE(warnings({3, 2, 1, -1, -1, -1}).size() == 1u);
  const Plan four = plan(kBase + "grid: {train.learning_rate: [0.01, 0.02, 0.04, 0.08]}\n");
  std::vector<CellStatus> statuses(4);
  for (std::size_t i = 0; i < 3; ++i) {
    statuses[i].state = CellState::kComplete;
    statuses[i].loss_nats = 3 - static_cast<double>(i);
  }
  EXPECT_EQ(rate_edge_warnings(four, statuses).size(), 1u);
  statuses[3].state = CellState::kDiverged;
  EXPECT_TRUE(rate_edge_warnings(four, statuses).empty());
}

TEST_F(RateEdges, TwoRatesAreNoScan) {
  EXPECT_TRUE(warnings({0, 2, 1, 0, 1, 2}).empty());
}

}  // namespace
}  // namespace scalelaw
