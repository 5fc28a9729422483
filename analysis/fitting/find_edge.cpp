#include "analysis/fitting/find_edge.h"

#include <cmath>

namespace scalelaw {

Edge find_edge(const HoldAt& hold, const std::vector<double>& best, double from, double step,
               double end) {
  constexpr int kMostSteps = 40, kHalvings = 40;
  Edge edge;
  double inside = from;
  std::vector<double> warm = best;
  for (int i = 0; i < kMostSteps; ++i) {
    double outside = inside + step;
    if (step > 0 ? outside >= end : outside <= end) outside = end;
    Held there = hold(outside, warm);
    edge.unconverged += there.converged ? 0 : 1;
    if (!(there.excess > 0)) {
      inside = outside;
      warm = std::move(there.u);
      if (outside == end) return edge;
      step *= 1.5;
      continue;
    }
    const double narrow = 1e-6 * std::abs(outside - from);
    for (int k = 0; k < kHalvings && std::abs(outside - inside) > narrow; ++k) {
      const double middle = 0.5 * (inside + outside);
      there = hold(middle, warm);
      if (there.excess > 0) {
        outside = middle;
      } else {
        inside = middle;
        warm = std::move(there.u);
      }
    }
    edge.place = 0.5 * (inside + outside);
    edge.found = true;
    return edge;
  }
  return edge;
}

}  // namespace scalelaw
