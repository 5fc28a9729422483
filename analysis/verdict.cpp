// The comparison in words: only what the data carry.
#include <algorithm>
#include <cmath>
#include <string>

#include "analysis/compare.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string crossing_sentence(const Comparison& c) {
  const CrossingSet& set = c.crossing;
  if (set.kind == CrossingSet::Kind::kNone) return "The fitted lines do not cross.";
  if (set.kind != CrossingSet::Kind::kInterval) {
    return "Where the lines cross, if they do, is not determined: the set of crossing sizes is "
           "unbounded.";
  }
  const std::string& behind = c.difference > 0 ? c.arm_a : c.arm_b;
  const std::string where =
      "N = " + human(set.estimate) + " [" + human(set.low) + ", " + human(set.high) + "]";
  const std::string text = "The fitted lines cross at " + where + ": below it " + behind +
                           " has the higher loss, above it the lower.";
  if (set.set_measured) return text;
  const std::string range = human(c.n_low) + " to " + human(c.n_high);
  if (set.estimate_measured) {
    return text + " The interval reaches beyond the measured range " + range + ".";
  }
  return "The fitted lines would cross at " + where + ", outside the measured range " + range +
         ": an extrapolation.";
}

std::string range_remark(const ArmLaws& a, const ArmLaws& b) {
  const double decades = std::min(a.decades(), b.decades());
  if (decades <= 1) {
    return "N spans " + fixed(decades, 1) + " decades only: too little to call either line a law.";
  }
  if (decades < 2.95) {
    return "N spans " + fixed(decades, 1) +
           " decades, fewer than the three at which such a test was shown to hold its level.";
  }
  return "";
}

std::string bend_remark(const ArmLaws& a, const ArmLaws& b) {
  std::string arms;
  int bent = 0;
  for (const ArmLaws* laws : {&a, &b}) {
    if (!laws->power.curvature_p || *laws->power.curvature_p > 0.05) continue;
    arms += (arms.empty() ? "" : " and ") + laws->arm;
    ++bent;
  }
  if (bent == 0) return "";
  return "On a log-log plot " + arms + (bent == 1 ? " bends" : " bend") +
         " (p < 0.05 for a quadratic term): a slope is the average over this range, so read it "
         "with the local slopes.";
}

}  // namespace

void put_in_words(Comparison& c, const ArmLaws& a, const ArmLaws& b, const LawOptions& options) {
  if (c.status != FitStatus::kConverged) {
    c.verdict =
        "The slopes of " + c.arm_a + " and " + c.arm_b + " cannot be compared: " + c.why + ".";
    return;
  }
  const bool differ = c.p_holm < 1 - options.level;
  const bool a_steeper = c.difference > 0;
  const std::string& steeper = a_steeper ? c.arm_a : c.arm_b;
  const std::string& other = a_steeper ? c.arm_b : c.arm_a;
  const Interval interval = a_steeper ? c.interval : Interval{-c.interval.high, -c.interval.low};
  const std::string numbers =
      fixed(std::max(c.slope_a, c.slope_b), 3) + " (" + steeper + ") against " +
      fixed(std::min(c.slope_a, c.slope_b), 3) + " (" + other + "), difference " +
      fixed(std::abs(c.difference), 3) + " " + interval_text(interval.low, interval.high, 3) +
      " (" + level_text(c.level) + ", t with " + std::to_string(c.df) +
      " degrees of freedom on the means of " + std::to_string(a.power.sizes) + " and " +
      std::to_string(b.power.sizes) + " sizes).";
  c.verdict = "Over N from " + human(c.n_low) + " to " + human(c.n_high) + " (" +
              std::string(name(a.n_count)) + "), at D = " + human(*options.selection.train_tokens) +
              " tokens and this recipe, ";
  if (differ) {
    c.verdict += "the loss of " + steeper + " falls more steeply with N than that of " + other +
                 ": slopes " + numbers;
  } else {
    c.verdict += "no difference between the slopes of " + c.arm_a + " and " + c.arm_b +
                 " was found: " + numbers + " That is not equality: an equivalence test at " +
                 level_text(0.05 / c.pairs) +
                 " excludes only differences of "
                 "more than " +
                 fixed(c.equivalence_margin, 3) + ".";
  }
  c.verdict += " Differences below " + fixed(c.detectable, 3) +
               " would usually be missed (80% power at this noise and design).";
  if (c.pairs > 1) {
    c.verdict += " It is one of " + std::to_string(c.pairs) +
                 " pairs: what is called a difference is by Holm's p (here " + p_text(c.p_holm) +
                 "); intervals, power and equivalence are by the stricter Bonferroni level.";
  }
  for (const std::string& remark :
       {crossing_sentence(c), bend_remark(a, b), range_remark(a, b),
        std::string("Slopes at one D hold what limited data cost (B D^-beta): they need not be "
                    "those at another D, and no floor is claimed.")}) {
    if (!remark.empty()) c.remarks.push_back(remark);
  }
}

}  // namespace scalelaw
