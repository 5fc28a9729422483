// Where, on a way from an optimum, a fit becomes significantly worse.
#pragma once

#include <functional>
#include <vector>

namespace scalelaw {

// A place on the way from the optimum: how far the objective has risen beyond what is allowed
// (above 0: outside), and where the others went.
struct Held {
  double excess = 0;
  std::vector<double> u;
  bool converged = true;
};
using HoldAt = std::function<Held(double place, const std::vector<double>& warm)>;

struct Edge {
  double place = 0;
  bool found = false;
  int unconverged = 0;
};

// Steps away from the optimum, each half as long again as the last, until one is outside; then
// halves, to 1e-6 of the way. `end`: no place beyond it, and no edge where even that is inside.
// `best`: search coordinates at `from`.
Edge find_edge(const HoldAt& hold, const std::vector<double>& best, double from, double step,
               double end);

}  // namespace scalelaw
