// One exponent by every way that a careful person might have taken: what N counts, which sizes are
// left out, how points far off the line weigh, with a floor or without. Beside a headline it shows
// how much of it is choice.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/arm_laws.h"

namespace scalelaw {

enum class SizesLeftOut { kNone, kSmallest, kLargest };
std::string_view in_words(SizesLeftOut left_out);  // "all sizes", "without the smallest", ...

// Slopes a of L = (N_c / N)^a, and alpha of L = E + A N^-alpha, which is another quantity; nullopt
// where a fit does not stand.
struct MultiverseRow {
  NCount n_count = NCount::kNonEmbedding;
  SizesLeftOut left_out = SizesLeftOut::kNone;
  int sizes = 0;
  std::optional<double> least_squares;  // on weighted means of sizes: the headline's
  std::optional<double> huber;          // on runs, delta 1.345 robust standard deviations
  std::optional<double> absolute;       // on runs, delta 1e-3: least absolute residuals
  std::optional<double> floor_alpha;    // on weighted means; none where E is 0 or not identified
};

struct Multiverse {
  std::string arm;
  std::vector<MultiverseRow> rows;
  std::vector<double> slopes() const;  // of all rows, those that stand
};

// Slope of a minus slope of b over the ways that both have.
struct MultiverseDifference {
  std::string arm_a, arm_b;
  int ways = 0, positive = 0;
  double low = 0, high = 0;
};

// Of every arm in the table, by every count of N that it tells; three sizes or more each.
std::vector<Multiverse> multiverse(const RunTable& table, const LawOptions& options);
MultiverseDifference difference(const Multiverse& a, const Multiverse& b);

}  // namespace scalelaw
