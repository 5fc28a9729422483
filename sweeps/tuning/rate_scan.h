// One scan of the learning rate: what to try next, and which rate is best. Nothing but numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace scalelaw {

// A rate and what its trials came to.
struct TriedRate {
  double rate = 0;
  double loss_nats = 0;     // mean over the seeds; of no meaning where one diverged
  bool diverged = false;    // any of them
  double unrounded = rate;  // what it was rounded from
};

// A step of rates within which an optimum is found well enough.
inline constexpr double kNarrow = 1.5;

enum class BestRate {
  kInterior,         // between two rates that are worse: the vertex of a parabola in ln rate
  kBelowDivergence,  // the highest that did not diverge; one at most kNarrow times it did
  kLowestEdge,       // a bound and no optimum
  kHighestEdge,      // likewise, also where one far above it diverged
  kNone,             // all diverged
};

struct RateChoice {
  BestRate kind = BestRate::kNone;
  double rate = 0;            // of three significant digits; 0 for kNone
  double best_loss_nats = 0;  // the lowest of those tried; biased low, for it is a minimum
  bool is_optimum() const {
    return kind == BestRate::kInterior || kind == BestRate::kBelowDivergence;
  }
};

// `tried`: three rates or more, ascending. At an edge the choice is the edge itself.
// The vertex is that of the parabola through the best rate and its two neighbours, in ln rate, and
// lies between those.
RateChoice choose_rate(const std::vector<TriedRate>& tried);

// A further rate where the best one is at an edge: the same factor beyond it as between the last
// two, or halfway in ln rate to one that diverged; not rounded, and from rates before they were, so
// that a factor that an edge has asked for is the same run once it is written among the factors.
// nullopt where the best is inside.
std::optional<double> rate_beyond(const std::vector<TriedRate>& tried);

// To `digits` significant digits.
double rounded_rate(double rate, int digits);

}  // namespace scalelaw
