// L = E + A N^-alpha of one arm: to judge whether the data carry a floor at all.
#pragma once

#include <optional>

#include "analysis/fitting/bootstrap.h"
#include "analysis/fitting/fit.h"
#include "analysis/fitting/profile.h"
#include "analysis/size_cells.h"

namespace scalelaw {

inline constexpr int kFewestSizesForFloor = 4;

// Of the Huber fit on runs, redrawn: percentiles of E (0 where a replicate asks for no floor) and
// of alpha.
struct FloorBootstrap {
  std::optional<Interval> e, alpha;
  bool by_size = false;  // else by run
  int replicates = 0, at_zero = 0, stuck = 0, degenerate = 0;
};

// On weighted cell means, but for the bootstrap.
struct FloorFit {
  FitResult least_squares;  // in ln L
  FitResult huber;
  double huber_delta = 0;
  LogCentre centre;
  ProfileInterval floor;
  // alpha at the ends of E's set (E = 0 where it is not bounded below); nullopt where the set has
  // no upper end or a refit at an end did not converge.
  std::optional<Interval> alpha_over_set;
  FloorBootstrap bootstrap;
  double e() const;  // of the least-squares fit
};

// The cells' means as data; weights sum to their number, so that degrees of freedom stay.
FitData data_of_means(const std::vector<SizeCell>& cells);

FloorFit fit_floor(const std::vector<SizeCell>& cells, double level,
                   const BootstrapOptions& options);

}  // namespace scalelaw
