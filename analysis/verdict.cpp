// The comparison in words: only what the data carry.
#include <algorithm>
#include <cmath>
#include <string>

#include "analysis/compare.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// Who has the lower loss where sizes can be set side by side.
std::string who_leads(const Comparison& c) {
  const std::size_t sizes = c.at_equal_n.size();
  if (sizes == 0) return "the arms share no size at which their losses can be set side by side";
  const auto leads = [](const EqualSizeDifference& d) { return d.ln_loss_difference < 0; };  // a
  const auto of_a =
      static_cast<std::size_t>(std::count_if(c.at_equal_n.begin(), c.at_equal_n.end(), leads));
  const std::string all = std::to_string(sizes) + (sizes == 1 ? " size" : " sizes");
  if (of_a == 0 || of_a == sizes) {
    const auto unsure = std::count_if(c.at_equal_n.begin(), c.at_equal_n.end(), [](const auto& d) {
      return d.standard_error && std::abs(d.ln_loss_difference) < 2 * *d.standard_error;
    });
    return (of_a == 0 ? c.arm_b : c.arm_a) + " has the lower loss at every one of the " + all +
           " that were measured" +
           (unsure > 0
                ? " (at " + std::to_string(unsure) + " of them by less than two standard errors)"
                : "");
  }
  const std::string& small = leads(c.at_equal_n.front()) ? c.arm_a : c.arm_b;
  const std::string& large = leads(c.at_equal_n.front()) ? c.arm_b : c.arm_a;
  const auto turn = std::find_if(c.at_equal_n.begin(), c.at_equal_n.end(), [&](const auto& d) {
    return leads(d) != leads(c.at_equal_n.front());
  });
  if (std::all_of(turn, c.at_equal_n.end(),
                  [&](const auto& d) { return leads(d) == leads(*turn); })) {
    return "of the " + all + " that were measured " + small +
           " has the lower loss up to N = " + human(std::prev(turn)->n) + " and " + large +
           " from " + human(turn->n) + " on";
  }
  return "neither leads throughout: " + c.arm_a + " has the lower loss at " + std::to_string(of_a) +
         " of the " + all + " that were measured";
}

std::string who_bends(const ArmLaws& a, const ArmLaws& b) {
  std::string arms;
  int bent = 0;
  for (const ArmLaws* laws : {&a, &b}) {
    if (!laws->power.curvature_p || *laws->power.curvature_p > 0.05) continue;
    arms += (arms.empty() ? "" : " and ") + laws->arm;
    ++bent;
  }
  if (bent == 0) return "";
  return arms + (bent == 1 ? " bends" : " both bend") +
         " on a log-log plot, so that a slope is an average over this range";
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
  const std::string range = human(c.n_low) + " to " + human(c.n_high);
  if (!set.estimate_measured) {
    return "The fitted lines would cross at " + where + ", outside the measured range " + range +
           ": an extrapolation, not a finding.";
  }
  return "The fitted lines cross at " + where + ": below it " + behind +
         " has the higher loss, above it the lower." +
         (set.set_measured ? "" : " The interval reaches beyond the measured range " + range + ".");
}

std::string certainty(const Comparison& c, const ArmLaws& a, const ArmLaws& b) {
  std::string text = "The interval is Student's t with " + std::to_string(c.df) +
                     " degrees of freedom on the weighted means of " +
                     std::to_string(a.power.sizes) + " and " + std::to_string(b.power.sizes) +
                     " sizes. True differences below " + fixed(c.detectable, 3) +
                     " would usually be missed (80% power at this noise and design).";
  if (c.pairs > 1) {
    text += " It is one of " + std::to_string(c.pairs) +
            " pairs: what is called a difference is by Holm's p (here " + p_text(c.p_holm) +
            "); intervals, power and equivalence are by the stricter Bonferroni level.";
  }
  return text;
}

// Straight lines may differ only because one arm nears a floor sooner.
std::string free_floors(const Comparison& c, double significance) {
  if (c.floor.status != FitStatus::kConverged) return "";
  return c.floor.p < significance
             ? "With a floor of its own in each arm (L = E + A N^-alpha) the exponents differ too "
               "(p " +
                   p_text(c.floor.p) + ")."
             : "With a floor of its own in each arm (L = E + A N^-alpha) the exponents are not "
               "told "
               "apart (p " +
                   p_text(c.floor.p) + "): the finding is of straight lines over this range.";
}

std::string scope(const Comparison& c, const ArmLaws& a, const ArmLaws& b) {
  const double decades = std::min(a.decades(), b.decades());
  std::string text = "N spans " + fixed(decades, 1) + " decades";
  text += decades <= 1 ? ": too little to call either line a law."
                       : "; another range may have another slope.";
  return text +
         " At one D slopes hold what limited data cost (B D^-beta): they need not be those at "
         "another D, and no floor is claimed." +
         (c.different_training ? " The arms read different training texts." : "");
}

}  // namespace

void put_in_words(Comparison& c, const ArmLaws& a, const ArmLaws& b, const LawOptions& options) {
  if (c.status != FitStatus::kConverged) {
    c.verdict =
        "The slopes of " + c.arm_a + " and " + c.arm_b + " cannot be compared: " + c.why + ".";
    return;
  }
  const bool a_steeper = c.difference > 0;
  const std::string& steeper = a_steeper ? c.arm_a : c.arm_b;
  const std::string& other = a_steeper ? c.arm_b : c.arm_a;
  const Interval interval = a_steeper ? c.interval : Interval{-c.interval.high, -c.interval.low};
  const std::string numbers = "slopes " + fixed(std::max(c.slope_a, c.slope_b), 3) + " (" +
                              steeper + ") and " + fixed(std::min(c.slope_a, c.slope_b), 3) + " (" +
                              other + "), difference " + fixed(std::abs(c.difference), 3) + " " +
                              interval_text(interval.low, interval.high, 3) + " at " +
                              level_text(c.level);
  c.verdict = "Over N from " + human(c.n_low) + " to " + human(c.n_high) + " (" +
              std::string(name(a.n_count)) + "), at D = " + human(*options.selection.train_tokens) +
              " tokens and this recipe, ";
  if (c.p_holm < 1 - options.level) {
    c.verdict += "the loss of " + steeper + " falls more steeply with N than that of " + other +
                 ": " + numbers;
  } else {
    c.verdict += "no difference between the slopes of " + c.arm_a + " and " + c.arm_b +
                 " was found: " + numbers + ", which is not equality (differences up to " +
                 fixed(c.equivalence_margin, 3) + " are not excluded)";
  }
  const std::string bends = who_bends(a, b);
  c.verdict += "; " + (bends.empty() ? "" : bends + ", and ") + who_leads(c) + ".";
  for (const std::string& remark : {certainty(c, a, b), free_floors(c, 1 - options.level),
                                    crossing_sentence(c), scope(c, a, b)}) {
    if (!remark.empty()) c.remarks.push_back(remark);
  }
}

}  // namespace scalelaw
