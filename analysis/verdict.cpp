// The comparison in words: only what the data carry.
#include <algorithm>
#include <cmath>

#include "analysis/compare.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string crossing_sentence(const Comparison& c) {
  const CrossingSet& set = c.crossing;
  const std::string range = human(c.n_low) + " to " + human(c.n_high);
  switch (set.kind) {
    case CrossingSet::Kind::kInterval: {
      const std::string& behind = c.difference > 0 ? c.arm_a : c.arm_b;
      const std::string where =
          "N = " + human(set.estimate) + " [" + human(set.low) + ", " + human(set.high) + "]";
      if (set.set_measured) {
        return " The fitted lines cross at " + where + ": below it " + behind +
               " has the higher loss, above it the lower.";
      }
      return " The fitted lines cross at " + where + ", " +
             (set.estimate_measured ? "partly" : "") + (set.estimate_measured ? " " : "") +
             "outside the measured range " + range + ": an extrapolation.";
    }
    case CrossingSet::Kind::kLeftRay:
    case CrossingSet::Kind::kRightRay:
    case CrossingSet::Kind::kTwoRays:
    case CrossingSet::Kind::kEverywhere:
      return " Where the lines cross, if they do, is not determined: the set of crossing sizes is "
             "unbounded.";
    case CrossingSet::Kind::kNone:
      return " The fitted lines do not cross.";
  }
  return "";
}

std::string range_warning(const ArmLaws& a, const ArmLaws& b) {
  const double decades = std::min(a.decades(), b.decades());
  if (decades <= 1) {
    return " N spans " + fixed(decades, 1) + " decades only: too little to call either line a law.";
  }
  if (decades < 2.95) {
    return " N spans " + fixed(decades, 1) +
           " decades, fewer than the three at which such a test is known to hold its level.";
  }
  return "";
}

std::string bend_sentence(const ArmLaws& a, const ArmLaws& b) {
  std::string arms;
  for (const ArmLaws* laws : {&a, &b}) {
    if (!laws->power.curvature_p || *laws->power.curvature_p > 0.05) continue;
    arms += (arms.empty() ? "" : " and ") + laws->arm;
  }
  if (arms.empty()) return "";
  return " On a log-log plot " + arms +
         " bends (p < 0.05 for a quadratic term): a slope is the average over this range, see the "
         "local slopes.";
}

}  // namespace

std::string verdict(const Comparison& c, const ArmLaws& a, const ArmLaws& b,
                    const LawOptions& options) {
  const bool differ = c.p_holm < 1 - options.level;
  const std::string& steeper = c.difference > 0 ? c.arm_a : c.arm_b;
  const std::string& other = c.difference > 0 ? c.arm_b : c.arm_a;
  const double sign = c.difference > 0 ? 1 : -1;
  const Interval interval = sign > 0 ? c.interval : Interval{-c.interval.high, -c.interval.low};
  const double steeper_slope = std::max(c.slope_a, c.slope_b);
  const double other_slope = std::min(c.slope_a, c.slope_b);
  std::string text = "Over N from " + human(c.n_low) + " to " + human(c.n_high) + " (" +
                     std::string(name(a.n_count)) +
                     "), at D = " + human(*options.selection.train_tokens) +
                     " tokens and this recipe, ";
  const std::string numbers =
      fixed(steeper_slope, 3) + " against " + fixed(other_slope, 3) + ", difference " +
      fixed(std::abs(c.difference), 3) + " " + interval_text(interval.low, interval.high, 3) +
      " (" + fixed(100 * options.level, 0) + "%, t with " + std::to_string(c.df) +
      " degrees of freedom on the means of " + std::to_string(a.power.sizes) + " and " +
      std::to_string(b.power.sizes) + " sizes).";
  if (differ) {
    text += "the loss of " + steeper + " falls more steeply with N than that of " + other +
            ": slopes " + numbers;
  } else {
    text += "no difference between the slopes of " + c.arm_a + " and " + c.arm_b +
            " was found: " + numbers + " That is not equality: only differences of more than " +
            fixed(c.equivalence_margin, 3) + " are excluded by an equivalence test at 5%.";
  }
  text += " Differences below " + fixed(c.detectable, 3) +
          " would usually be missed (80% power at this noise and design).";
  text += crossing_sentence(c) + bend_sentence(a, b) + range_warning(a, b);
  return text +
         " These are slopes at one D: they hold what limited data cost (B D^-beta), and no floor "
         "is claimed.";
}

}  // namespace scalelaw
