// Approach 3 of Hoffmann et al. 2022: L(N, D) = E + A N^-alpha + B D^-beta over all runs, and where
// on it a budget is spent best. With C = k N^(1 + s) D (compute_law())
//   N* = (alpha A / ((1 + s) beta B) (C / k)^beta)^(1 / (alpha + (1 + s) beta)),
// Hoffmann's equation 4 where k = 6, s = 0.
#pragma once

#include <span>
#include <vector>

#include "analysis/fitting/bootstrap.h"
#include "analysis/frontier/approach.h"
#include "analysis/frontier/frontier_data.h"

namespace scalelaw {

struct SurfaceOptions {
  double huber_delta = 1e-3;  // of kHuber, in ln L
  double level = 0.95;
  BootstrapOptions bootstrap;   // replicates 0: none
  bool leave_out_runs = true;   // for the intervals
  std::vector<double> budgets;  // FLOPs, where N*, D* and L* are asked for
};

struct OptimumOnSurface {
  double ln_n = 0, ln_d = 0, ln_loss = 0;
};
// theta as chinchilla_law()'s, alpha and beta above 0.
OptimumOnSurface optimum_on_surface(std::span<const double> theta, LogCentre centre,
                                    const ComputeLaw& compute, double ln_c);
double optimum_exponent(std::span<const double> theta, const ComputeLaw& compute);

struct SurfaceFrontier {
  Approach approach;
  FitData data;
  FitResult fit;
  int stuck = 0, degenerate = 0;  // replicates
};

// Intervals leave out each run in turn (the jackknife), with Student's t of runs less the five
// parameters: residuals may then be of any shape and differ in size. `kind` is one of the three of
// approach 3.
SurfaceFrontier surface_frontier(const FrontierData& data, const ComputeLaw& compute,
                                 ApproachKind kind, const SurfaceOptions& options);

}  // namespace scalelaw
