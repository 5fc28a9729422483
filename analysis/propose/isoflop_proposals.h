// Runs of a budget of compute whose best size is not known yet, or not well.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analysis/frontier/isoflop.h"
#include "analysis/propose/proposal.h"

namespace scalelaw {

// Variance of the place of a parabola's minimum in units of the variance of L at its points: least
// squares of L on 1, u, u^2 and the first order in their errors, with u = x - centre and the
// parabola's slope and bend. Needs three different x.
double minimum_variance(std::span<const double> ln_n, const IsoFlop& parabola);

struct IsoFlopQuestion {
  CCount c_count = CCount::kExactCausal;
  double tolerance = 0.05;  // runs of a budget differ from its first by this share of C at most
  std::vector<HeldOut> waiting = {};  // cells that nobody may begin
};

// `rows` of one arm at any D, complete. A budget whose lowest loss is at its first or last size:
// two sizes past it, by the budget's own spacing, unless a run of nearly its C (25%) lies there.
// One whose minimum lies inside with fewer than two sizes on a side of it: sizes at that side's end
// and between the sizes about it, whichever narrows the error of ln N* most. Budgets are those of
// three sizes at least. Of runs that differ in learning rate at one size and D the best counts.
ProposalList isoflop_proposals(const std::string& arm, const std::vector<const RunRow*>& rows,
                               const Selection& selection, const IsoFlopQuestion& asked);

// Budgets that isoflop_proposals() would look at.
int budgets_of(const std::vector<const RunRow*>& rows, const Selection& selection,
               const IsoFlopQuestion& asked);

}  // namespace scalelaw
