// Approach 2 of Hoffmann et al. 2022: runs of one budget of compute, and the size at which that
// budget's loss is lowest, by a parabola of L in ln N and by Akima's interpolation of ln L.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/frontier/frontier_data.h"

namespace scalelaw {

inline constexpr int kFewestSizesForMinimum = 3;

// Several runs of one size in a budget: their mean, or the lowest where they differ in what was
// tuned (Porian et al. 2024 take the lowest).
enum class SameSize { kMean, kLowest };

struct IsoFlopOptions {
  double tolerance = 0.05;  // runs of a budget differ from its first by this share of C at most
  SameSize same_size = SameSize::kMean;
  // Standard deviation of ln L between runs; nullopt: from the residuals of all parabolas.
  std::optional<double> noise;
  int noise_replicates = 200;  // of Akima's minimum; 0: none
  uint64_t seed = 1;
};

enum class MinimumStatus {
  kInside,
  kAtOrBelow,    // the smallest N is best: N* is at most that
  kAtOrAbove,    // the largest N is best: N* is at least that
  kNone,         // the parabola opens downwards
  kTooFewSizes,  // fewer than kFewestSizesForMinimum
};
std::string_view name(MinimumStatus status);  // "inside", "at_or_below", ...

struct IsoFlopMinimum {
  MinimumStatus status = MinimumStatus::kTooFewSizes;
  double ln_n = 0, loss = 0;  // inside; else where the bound lies and its loss
  // One standard deviation that noise gives them; 0: not known.
  double ln_n_error = 0, ln_loss_error = 0;
  double ln_n_median = 0;  // Akima: over the replicates of noise; 0: none
};

struct IsoFlop {
  double budget = 0;                  // FLOPs: geometric mean of its points
  double spread = 0;                  // largest C over smallest, less 1
  std::vector<FrontierPoint> points;  // by n, ascending; several of one size as they are
  std::vector<double> ln_n, ln_loss;  // a size each, ascending
  IsoFlopMinimum parabola, akima;
  // Sd of ln L that the minima's errors rest on, and its degrees of freedom; 0: it was given, or is
  // not known (then the sd is 0 too).
  double noise = 0, noise_df = 0;
  // The parabola: L = level + slope u + bend u^2, u = ln N - centre.
  double centre = 0, level = 0, slope = 0, bend = 0;
  double parabola_at(double ln) const {
    return level + (ln - centre) * (slope + (ln - centre) * bend);
  }
};

// Noise is taken from each budget's own residuals about its parabola where each leaves three
// degrees of freedom (six sizes, or seeds): it need not be alike at all budgets. Else from all
// together.
struct IsoFlops {
  std::vector<IsoFlop> budgets;  // ascending; of three sizes at least
  bool pooled = true;            // noise is of all budgets together
  double noise = 0;              // sd of ln L over all budgets, the parabolas' lack of fit included
  double noise_df = 0;
  int points_in_none = 0;  // whose budget has fewer sizes
};

IsoFlops isoflops(std::span<const FrontierPoint> points, const IsoFlopOptions& options);

}  // namespace scalelaw
