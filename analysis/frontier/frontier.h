// Every approach to the compute-optimal frontier on the same runs, side by side: what they disagree
// in is shown, none is picked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/frontier/approach.h"
#include "analysis/frontier/envelope.h"
#include "analysis/frontier/isoflop_frontier.h"
#include "analysis/frontier/surface_frontier.h"

namespace scalelaw {

struct FrontierOptions {
  IsoFlopOptions isoflop;
  EnvelopeOptions envelope;
  double huber_delta = 1e-3;
  bool weighted = false;  // minima by their errors
  BootstrapOptions bootstrap;
  bool leave_out_runs = true;  // for the intervals of approach 3
  double level = 0.95;
  std::vector<double> budgets;  // FLOPs; empty: the least and the most of the data, and 10 x that
};

struct Frontier {
  FrontierData data;
  FrontierOptions options;
  std::vector<double> budgets;  // where N*, D*, L* stand
  ComputeLaw compute;
  IsoFlops isoflop;
  Envelope envelope;
  std::vector<SurfaceFrontier> surfaces;  // Huber, least squares in ln L, in L
  std::vector<Approach> approaches;       // all, those that do not stand too
  std::vector<std::string> warnings;
  // The surface that biases are simulated from: the first that stands.
  const SurfaceFrontier* surface() const;
};

// ConfigError where no approach stands and no budget has a minimum inside its sizes; it says why of
// each.
Frontier find_frontier(FrontierData data, const FrontierOptions& options);

}  // namespace scalelaw
