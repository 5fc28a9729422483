// How many times less of a scale one arm needs than another for an equal loss: training compute, or
// size. All runs are of one D, so that compute moves with N alone.
//
// At a scale s of arm b its curve has the loss l. The gain is s / s', s' the scale at which arm a's
// curve has l: above 1 a needs less. Its set are the gains that a t test of "a's curve has b's loss
// there" does not reject, with Welch's variance and Satterthwaite's degrees of freedom (Fieller
// 1954 for straight lines). So it may have one end, or none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/arm_laws.h"

namespace scalelaw {

struct GainSet {
  enum class Kind {
    kUndetermined,  // any gain
    kInterval,      // [low, high]
    kAtLeast,       // low and above
    kAtMost,        // high and below: a may never get there
  };
  Kind kind = Kind::kUndetermined;
  std::optional<double> estimate;  // nullopt: a's curve does not reach the loss
  double low = 0, high = 0;
  // The estimate, and the whole set, lie where a's runs are. Of parabolas no other gain is sought:
  // their sets end at a's smallest (kAtLeast) or largest (kAtMost) run.
  bool estimate_measured = false, set_measured = false;
};

struct EquivalentGain {
  double at = 0;  // b's scale: FLOPs of the whole run, or parameters
  bool at_measured = false;
  double ln_loss = 0;  // of b's straight line there
  GainSet lines;
  // Of parabolas in ln L over the scale's logarithm; nullopt below kFewestSizesForCurve sizes an
  // arm and outside of b's runs.
  std::optional<GainSet> parabolas;
};

struct EquivalentGains {
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  double shared_low = 0, shared_high = 0;    // range of the scale that both arms cover
  std::optional<double> bend_p_a, bend_p_b;  // of a quadratic term
  std::vector<EquivalentGain> gains;         // in the order asked for
};

// The arm's cells with the FLOPs of their whole training (C by exact_causal) in the place of n.
ArmLaws by_compute(const RunTable& table, const ArmLaws& arm);

// On the cells of the range that both cover and those next to it, as they are weighed. `at`: scales
// of b; none: ends and middle (in the logarithm) of that range. `paired`: the arms' runs read the
// same windows of the test text. Both arms have a cell.
EquivalentGains equivalent_gains(const ArmLaws& a, const ArmLaws& b, bool paired,
                                 const std::vector<double>& at, double level);

}  // namespace scalelaw
