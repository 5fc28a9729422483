// Shares of simulations with their exact interval, as the tables of docs/studies/coverage.md print
// them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <string>

#include "analysis/compare.h"
#include "analysis/fitting/distributions.h"

namespace scalelaw {

// "0.951 [0.940, 0.960]"
inline std::string share(int hits, int n) {
  const Interval i = exact_share_interval(hits, n);
  char text[64];
  std::snprintf(text, sizeof(text), "%.3f [%.3f, %.3f]", double(hits) / n, i.low, i.high);
  return text;
}

// The share lies in [low, high], or no further outside than two binomial standard deviations.
inline ::testing::AssertionResult covers(int hits, int n, double low = .93, double high = .97) {
  const double one_share = double(hits) / n;
  if (one_share >= low - 2 * std::sqrt(low * (1 - low) / n) &&
      one_share <= high + 2 * std::sqrt(high * (1 - high) / n)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << share(hits, n) << " is not from " << low << " to " << high;
}

inline bool holds(const CrossingSet& set, double n) {
  switch (set.kind) {
    case CrossingSet::Kind::kNone:
      return false;
    case CrossingSet::Kind::kInterval:
      return set.low <= n && n <= set.high;
    case CrossingSet::Kind::kLeftRay:
      return n <= set.high;
    case CrossingSet::Kind::kRightRay:
      return n >= set.low;
    case CrossingSet::Kind::kTwoRays:
      return n <= set.low || n >= set.high;
    case CrossingSet::Kind::kEverywhere:
      break;
  }
  return true;
}

}  // namespace scalelaw
