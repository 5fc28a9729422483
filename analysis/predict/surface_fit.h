// L(N, D) = E + A N^-alpha + B D^-beta over all runs of an arm: least squares in ln L on recipes'
// means, which weigh by their seeds.
#pragma once

#include <string>

#include "analysis/fitting/fit.h"
#include "analysis/fitting/new_point.h"
#include "analysis/run_table.h"
#include "analysis/size_cells.h"

namespace scalelaw {

inline constexpr int kFewestPointsForSurface = 6, kFewestOfEachForSurface = 3;

struct SurfaceFit {
  std::string missing;  // what there are too few of, in words; "": a fit was tried
  int recipes = 0;      // runs that differ in more than their seeds: the points
  FitData data;
  FitResult best;
  double weight_of_new_run = 1;  // of one seed, as data's
  KnownNoise known_noise;        // of ln L of one seed
};

// `runs` are of one arm and selected, over all D.
SurfaceFit fit_surface(const RunTable& runs, const Selection& selection, const SeedNoise& seed);

}  // namespace scalelaw
