// Sizes and seeds that narrow the interval of an arm's slope.
#pragma once

#include "analysis/arm_laws.h"
#include "analysis/propose/proposal.h"

namespace scalelaw {

inline constexpr double kLeastGain = 0.02;  // smaller falls of a width are not proposed

// Greedy: of one size more at either end (as far from it as the sizes lie apart) and one seed more
// at each size, the largest relative fall of the half-width per FLOP, again and again with what was
// taken before; a run each. At most two sizes above, one below and eight seeds a size; where the
// arm bends (p of its quadratic term < 0.1) none below, since a line there would be of smaller
// models than are asked about, and no seeds, since its scatter is the bend's. Of an arm with too
// few sizes for a line those that it lacks. No run of more than `flops` is taken.
ProposalList slope_proposals(const RunTable& table, const ArmLaws& laws,
                             const ArmSettings& settings, double level,
                             std::optional<double> flops);

}  // namespace scalelaw
