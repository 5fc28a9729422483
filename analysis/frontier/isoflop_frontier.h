// The frontier through the minima of IsoFLOP curves, and through minima that a table gives.
#pragma once

#include <span>
#include <vector>

#include "analysis/frontier/approach.h"
#include "analysis/frontier/isoflop.h"
#include "analysis/frontier/size_law.h"

namespace scalelaw {

struct SizeLawOptions {
  bool weighted = false;  // by the errors of the minima; else every budget weighs the same
  double level = 0.95;
  std::vector<double> budgets;  // FLOPs, where N*, D* and L* are asked for
};

// kParabola or kAkima of a budget.
const IsoFlopMinimum& minimum_of(const IsoFlop& budget, ApproachKind kind);
// Of the budgets whose minimum lies inside their sizes; the others are bounds and on no line.
SizeLaw isoflop_law(const IsoFlops& curves, ApproachKind kind, bool weighted);
Approach isoflop_frontier(const IsoFlops& curves, ApproachKind kind, const ComputeLaw& compute,
                          const SizeLawOptions& options);
Approach given_frontier(std::span<const GivenOptimum> optima, const SizeLawOptions& options);

}  // namespace scalelaw
