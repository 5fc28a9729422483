// The comparison in words: only what the data carry.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/compare.h"
#include "analysis/gain_words.h"
#include "analysis/leads.h"
#include "analysis/number_text.h"
#include "analysis/other_looks.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string who_bends(const Comparison& c, double significance) {
  const bool a = bends(c.bend_p_a, significance), b = bends(c.bend_p_b, significance);
  if (!a && !b) return "";
  const std::string who = a && b ? "both arms bend" : (a ? c.arm_a : c.arm_b) + " bends";
  return "On a log-log plot " + who + ", so that a slope is an average over this range. ";
}

std::string crossing_sentence(const Comparison& c) {
  const CrossingSet& set = c.crossing;
  if (set.kind == CrossingSet::Kind::kNone) return "The fitted lines do not cross.";
  if (set.kind != CrossingSet::Kind::kInterval) {
    return "Where the fitted lines cross, if they do, is not determined: the set of crossing sizes "
           "is unbounded.";
  }
  const std::string& behind = c.difference > 0 ? c.arm_a : c.arm_b;
  const std::string where =
      "N = " + human(set.estimate) + " [" + human(set.low) + ", " + human(set.high) + "]";
  const std::string range = human(c.shared_low) + " to " + human(c.shared_high);
  if (!set.estimate_measured) {
    return "The fitted lines would cross at " + where +
           ", outside the range that both arms cover (" + range +
           "): an extrapolation, not a finding.";
  }
  return "The fitted lines cross at " + where + ": below it " + behind +
         " has the higher loss, above it the lower." +
         (set.set_measured
              ? ""
              : " The interval reaches beyond the range that both arms cover (" + range + ").");
}

// Least shares over simulated designs (docs/studies/coverage.md). Arms of equally few sizes cover.
std::string few_sizes(const Comparison& c) {
  const int fewest = std::min(c.sizes_a, c.sizes_b);
  if (fewest >= 5 || c.sizes_a == c.sizes_b) return "";
  return " Where an arm has as few as " + std::to_string(fewest) +
         " sizes and the other more, such an interval at 95% may hold the truth in only about " +
         (fewest == 4 ? "92%" : "88%") + " of studies, and one at 99% in " +
         (fewest == 4 ? "97%" : "92%") + ".";
}

std::string certainty(const Comparison& c, bool equal_within_margin) {
  std::string text = "The interval is Student's t with " + fixed(c.df, 1) +
                     " degrees of freedom on the weighted means of " + std::to_string(c.sizes_a) +
                     " and " + std::to_string(c.sizes_b) +
                     " sizes, each arm with its own scatter." + few_sizes(c) +
                     " A true difference of " + fixed(c.detectable, 3) +
                     " is found in 80% of such studies (this design, this noise), one of " +
                     fixed(c.detectable_in_half, 3) + " in half of them.";
  if (equal_within_margin) {
    text += " As straight lines the slopes are equal within " + fixed(c.equivalence_margin, 3) +
            " at " + level_text(c.level) + ", the larger end of the interval; closer is not shown.";
  }
  text +=
      " Other looks at the same runs (floors, parabolas, another count of N) are not adjusted for "
      "their number.";
  if (c.pairs > 1) {
    text += " It is one of " + std::to_string(c.pairs) +
            " pairs: what is called a difference is by Holm's p (here " + p_text(c.p_holm) +
            "); intervals, power and equivalence are by the stricter Bonferroni level.";
  }
  return text;
}

std::string sizes_left_out(const Comparison& c) {
  if (c.left_out.empty()) return "";
  std::string list;
  for (std::size_t i = 0; i < c.left_out.size(); ++i) {
    const bool same_arm = i > 0 && c.left_out[i].arm == c.left_out[i - 1].arm;
    list += (i == 0 ? "" : ", ") + (same_arm ? "" : c.left_out[i].arm + " at N = ") +
            human(c.left_out[i].n);
  }
  return "Not in this comparison, for the other arm has no such sizes: " + list +
         ". The laws of single arms are fitted to all their sizes.";
}

std::string scope(const Comparison& c) {
  const double decades = std::log10(c.shared_high / c.shared_low);
  std::string text = "N spans " + fixed(decades, 1) + " decades";
  text += decades <= 1 ? ": too little to call either line a law."
                       : "; another range may have another slope.";
  return text +
         " At one D slopes hold what limited data cost (B D^-beta): they need not be those at "
         "another D, and no floor is claimed." +
         (c.different_training ? " The arms read different training texts." : "");
}

// The straight lines' finding of a difference. That a loss falls or rises is said where the arm's
// own interval excludes 0.
std::string finding(const Comparison& c) {
  const bool a_steeper = c.difference > 0;
  const std::string& steeper = a_steeper ? c.arm_a : c.arm_b;
  const std::string& flatter = a_steeper ? c.arm_b : c.arm_a;
  const Interval& steep = a_steeper ? c.slope_interval_a : c.slope_interval_b;
  const Interval& flat = a_steeper ? c.slope_interval_b : c.slope_interval_a;
  if (flat.low > 0) {
    return "the loss of " + steeper + " falls more steeply with N than that of " + flatter;
  }
  if (steep.low > 0 && flat.high < 0) {
    return "the loss of " + steeper + " falls with N, that of " + flatter + " rises";
  }
  if (steep.low > 0) {
    return "the loss of " + steeper + " falls more steeply with N than that of " + flatter +
           ", which is not shown to fall";
  }
  if (flat.high < 0) {
    return "the loss of " + flatter + " rises more steeply with N than that of " + steeper +
           (steep.high < 0 ? "" : ", which is not shown to rise");
  }
  return "the slope of " + steeper + " is larger than that of " + flatter +
         ", though neither loss by itself is shown to fall or rise with N";
}

}  // namespace

void put_in_words(Comparison& c, const Comparison* other, const LawOptions& options) {
  const double significance = 1 - options.level;
  if (c.status != FitStatus::kConverged) {
    c.verdict =
        "The slopes of " + c.arm_a + " and " + c.arm_b + " cannot be compared: " + c.why + ".";
    if (!c.at_equal_n.empty()) c.remarks.push_back(who_leads(c, options.level));
    if (!c.left_out.empty()) c.remarks.push_back(sizes_left_out(c));
    return;
  }
  const bool found = c.p_holm < significance;
  const std::vector<Look> looks = other_looks(c, other, significance);
  const bool contradicted = equality_is_contradicted(c, looks, significance);
  const bool equal_within_margin = !found && !contradicted;
  const bool a_steeper = c.difference > 0;
  const std::string& steeper = a_steeper ? c.arm_a : c.arm_b;
  const std::string& flatter = a_steeper ? c.arm_b : c.arm_a;
  const Interval interval = a_steeper ? c.interval : Interval{-c.interval.high, -c.interval.low};
  const std::string numbers = "slopes " + fixed(std::max(c.slope_a, c.slope_b), 3) + " (" +
                              steeper + ") and " + fixed(std::min(c.slope_a, c.slope_b), 3) + " (" +
                              flatter + "), difference " + fixed(std::abs(c.difference), 3) + " " +
                              interval_text(interval.low, interval.high, 3) + " at " +
                              level_text(c.level);
  c.verdict = "Over N from " + human(c.shared_low) + " to " + human(c.shared_high) +
              ", which both arms cover (" + std::string(in_words(c.n_count)) + "), at " +
              options.selection.horizon +
              " and this recipe, and as straight lines in ln L over ln N, ";
  if (found) {
    c.verdict += finding(c) + ": " + numbers;
  } else {
    c.verdict += "no difference between the slopes of " + c.arm_a + " and " + c.arm_b +
                 " was found: " + numbers + ", which is not equality (a difference of " +
                 fixed(c.equivalence_margin, 3) + " is not excluded)";
  }
  c.verdict += dissent(looks, found ? sense(c.difference) : 0) + ".";
  const std::string bend = who_bends(c, significance);
  for (const std::string& remark :
       {bend + who_leads(c, options.level), certainty(c, equal_within_margin),
        equivalence_sentence(c, contradicted, significance), sizes_left_out(c),
        free_floors(c, found, significance), bend.empty() ? "" : curves_sentence(c),
        crossing_sentence(c), compute_gain_sentence(c, options.selection, significance),
        scope(c)}) {
    if (!remark.empty()) c.remarks.push_back(remark);
  }
}

}  // namespace scalelaw
