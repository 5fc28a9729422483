// Seeds where noise decides which of two arms has the lower loss at one size.
#pragma once

#include "analysis/compare.h"
#include "analysis/propose/proposal.h"

namespace scalelaw {

inline constexpr int kMostFurtherSeeds = 16;

struct SeedAnswer {
  int seeds = 0;
  double gain = 0;  // share by which half the width of the difference's interval falls
};
// Fewest further seeds of both arms at one size by which a difference of ln L this large is found
// in 80% of studies by a t test at 1 - level: of standard error sqrt(sd^2 (1 / seeds_a + 1 /
// seeds_b) + text variance), where df of the seed noise's sd grow by one a seed. nullopt: more than
// kMostFurtherSeeds.
std::optional<SeedAnswer> further_seeds(double difference, double sd, double df, int seeds_a,
                                        int seeds_b, double text_variance, double level);

// Of the pair's sizes where the difference lies within its noise. Where b's loss is interpolated
// its nearer size takes the seeds.
ProposalList seed_proposals(const RunTable& table, const Comparison& comparison, const ArmLaws& a,
                            const ArmLaws& b, const ArmSettings& settings_a,
                            const ArmSettings& settings_b);

}  // namespace scalelaw
