#include "analysis/gain_words.h"

#include <algorithm>

#include "analysis/number_text.h"
#include "analysis/other_looks.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string between(double low, double high) {
  return "[" + human(low) + ", " + human(high) + "]";
}

// What follows "needs".
std::string amount(const GainSet& set) {
  switch (set.kind) {
    case GainSet::Kind::kUndetermined:
      return "an amount that these runs do not determine";
    case GainSet::Kind::kAtLeast:
      return set.low >= 1 ? "at least " + human(set.low) + " times less (its smallest run may do)"
                          : "at most " + human(1 / set.low) +
                                " times more, perhaps less than its smallest run has";
    case GainSet::Kind::kAtMost:
      return set.high <= 1 ? "at least " + human(1 / set.high) +
                                 " times more, if it gets there (none of its runs is shown to)"
                           : "at most " + human(set.high) +
                                 " times less, perhaps more than its largest run has";
    case GainSet::Kind::kInterval:
      break;
  }
  const bool less = set.estimate.value_or(set.low) >= 1;
  std::string text = set.estimate ? human(less ? *set.estimate : 1 / *set.estimate) + " " : "";
  text += less ? between(set.low, set.high) + " times less"
               : between(1 / set.high, 1 / set.low) + " times more";
  if (set.low <= 1 && set.high >= 1) text += " (1, no gain, is not excluded)";
  if (set.estimate && !set.estimate_measured) text += " (beyond its runs: an extrapolation)";
  return text;
}

std::string form_sentence(const Comparison& c, bool curved, double significance) {
  const EquivalentGains& g = c.compute_gains;
  const bool a = bends(g.bend_p_a, significance), b = bends(g.bend_p_b, significance);
  if (!a && !b) return "These are of straight lines in ln L over ln C.";
  const std::string who = a && b ? "both arms bend" : (a ? c.arm_a : c.arm_b) + " bends";
  return curved ? "These are of a parabola in ln C for each arm, since " + who +
                      " over it; beyond the runs none is sought."
                : "These are of straight lines in ln L over ln C, though " + who +
                      " over it and there are too few sizes for curves.";
}

}  // namespace

std::string gain_text(const GainSet& set) {
  const std::string beyond =
      set.estimate && !set.estimate_measured ? ", beyond its runs" : std::string();
  switch (set.kind) {
    case GainSet::Kind::kUndetermined:
      return "not determined";
    case GainSet::Kind::kAtLeast:
      return "at least " + human(set.low) + beyond;
    case GainSet::Kind::kAtMost:
      return "at most " + human(set.high) + beyond;
    case GainSet::Kind::kInterval:
      break;
  }
  return (set.estimate ? human(*set.estimate) + " " : "") + between(set.low, set.high) + beyond;
}

bool follows_bends(const EquivalentGains& gains, double significance) {
  return (bends(gains.bend_p_a, significance) || bends(gains.bend_p_b, significance)) &&
         std::ranges::any_of(gains.gains,
                             [](const auto& each) { return each.parabolas.has_value(); });
}

std::string compute_gain_sentence(const Comparison& c, const Selection& selection,
                                  double significance) {
  const EquivalentGains& g = c.compute_gains;
  if (g.status != FitStatus::kConverged) {
    return g.why.empty() ? "" : "No compute-equivalent gain: of training compute, " + g.why + ".";
  }
  const bool curved = follows_bends(g, significance);
  std::string list;
  for (const EquivalentGain& each : g.gains) {
    list += list.empty() ? "For the loss that " + c.arm_b + " has at C = " + scientific(each.at) +
                               " FLOPs, " + c.arm_a + " needs "
                         : "; at " + scientific(each.at) + ", ";
    const bool told = !curved || each.parabolas;
    list += told ? amount(curved ? *each.parabolas : each.lines) : "nothing is told";
    if (!each.at_measured) list += " (beyond " + c.arm_b + "'s runs)";
  }
  return list + ". Each stands at " + level_text(c.level) +
         " by itself. C is that of whole runs, " + selection.c_words + ", at " + selection.horizon +
         "; both arms cover " + scientific(g.shared_low) + " to " + scientific(g.shared_high) +
         ". " + form_sentence(c, curved, significance);
}

}  // namespace scalelaw
