// The comparison in words: only what the data carry.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/compare.h"
#include "analysis/fitting/distributions.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// 1: a has the lower loss beyond what noise may do, -1: b has, 0: not told apart. Where the noise
// is not known any difference counts, and the sentence says so.
int leads(const EqualSizeDifference& d, double level) {
  const double least =
      d.standard_error ? student_t_quantile(0.5 + 0.5 * level, d.df) * *d.standard_error : 0;
  if (std::abs(d.ln_loss_difference) <= least) return 0;
  return d.ln_loss_difference < 0 ? 1 : -1;
}

// Who has the lower loss where sizes can be set side by side.
std::string who_leads(const Comparison& c, double level) {
  const std::size_t sizes = c.at_equal_n.size();
  if (sizes == 0) return "The arms have no size at which losses can be set side by side.";
  std::string lead;
  std::size_t told = 0;
  for (const int arm : {1, -1}) {
    std::vector<double> n;
    for (const EqualSizeDifference& d : c.at_equal_n) {
      if (leads(d, level) == arm) n.push_back(d.n);
    }
    if (n.empty()) continue;
    told += n.size();
    lead += (lead.empty() ? "" : ", ") + (arm == 1 ? c.arm_a : c.arm_b) +
            " has the lower loss at " +
            (n.size() == sizes ? (sizes == 1 ? "it" : "every one") : std::to_string(n.size())) +
            " (N = " + human(n.front()) + (n.size() > 1 ? " to " + human(n.back()) : "") + ")";
  }
  if (told < sizes) {
    lead += (lead.empty() ? "" : ", ") + std::string("the arms are not told apart at ") +
            (told == 0 ? (sizes == 1 ? "it" : "any") : std::to_string(sizes - told));
  }
  return "Of the " + std::to_string(sizes) + (sizes == 1 ? " size" : " sizes") +
         " that can be set side by side, " + lead +
         (c.at_equal_n.front().standard_error
              ? ", by t at " + level_text(level) + " and each size alone."
              : ": differences of single runs whose noise between seeds is not known.");
}

std::string who_bends(const Comparison& c, double significance) {
  const auto bends = [&](const std::optional<double>& p) { return p && *p < significance; };
  if (!bends(c.bend_p_a) && !bends(c.bend_p_b)) return "";
  const std::string who = bends(c.bend_p_a) && bends(c.bend_p_b) ? "both arms bend"
                          : bends(c.bend_p_a)                    ? c.arm_a + " bends"
                                                                 : c.arm_b + " bends";
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

// Shares of simulated studies (docs/studies/coverage.md).
std::string few_sizes(const Comparison& c) {
  const int fewest = std::min(c.sizes_a, c.sizes_b);
  if (fewest >= 5) return "";
  return " Where an arm has as few as " + std::to_string(fewest) +
         " sizes and scatters more than the other, such an interval at 95% holds the truth in " +
         (fewest == 4 ? "93%" : "89%") + " of studies.";
}

std::string certainty(const Comparison& c, bool found) {
  std::string text = "The interval is Student's t with " + fixed(c.df, 1) +
                     " degrees of freedom on the weighted means of " + std::to_string(c.sizes_a) +
                     " and " + std::to_string(c.sizes_b) +
                     " sizes, each arm with its own scatter." + few_sizes(c) +
                     " A true difference of " + fixed(c.detectable, 3) +
                     " is found in 80% of such studies (this design, this noise), one of " +
                     fixed(c.detectable_in_half, 3) + " in half of them.";
  if (!found) {
    text += " That the slopes are equal within " + fixed(c.equivalence_margin, 3) +
            " is shown at " + level_text(c.level) + " (two one-sided tests), closer it is not.";
  }
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

// What another look at the same runs says, in few words.
struct Look {
  std::string text;
  int steeper = 0;  // 1: it finds a steeper, -1: b, 0: no difference
};

// As study.cpp chooses the count that is set beside another.
std::string counted_otherwise(NCount n_count) {
  switch (n_count) {
    case NCount::kNonEmbedding:
      return "with the head counted in N";
    case NCount::kNonEmbeddingPlusHead:
      return "without the head in N";
    case NCount::kTotal:
      break;
  }
  return "without the embeddings in N";
}

int sense(double difference) {
  return difference > 0 ? 1 : -1;
}

std::vector<Look> other_looks(const Comparison& c, const Comparison* other, double significance) {
  std::vector<Look> looks;
  const auto look = [&](const std::string& how, double p, double difference,
                        const std::string& numbers) {
    const int steeper = p < significance ? sense(difference) : 0;
    const std::string who = steeper == 0 ? "" : (steeper > 0 ? c.arm_a : c.arm_b) + " steeper, ";
    looks.push_back({how + " (" + who + numbers + ")", steeper});
  };
  const std::string with_floors = "with a free floor in each arm";
  if (c.floor.status == FitStatus::kConverged) {
    look(with_floors, c.floor.p_holm, c.floor.alpha_a - c.floor.alpha_b,
         "p " + p_text(c.floor.p_holm));
  } else {
    looks.push_back({with_floors + " (no such fit stands)"});
  }
  if (other && other->status == FitStatus::kConverged) {
    const int sign = sense(c.difference);
    const Interval& i = other->interval;
    const Interval turned = sign > 0 ? i : Interval{-i.high, -i.low};
    look(counted_otherwise(c.n_count), other->p_holm, other->difference,
         "difference " + fixed(sign * other->difference, 3) + " " +
             interval_text(turned.low, turned.high, 3));
  } else if (other) {
    looks.push_back({counted_otherwise(c.n_count) + " (no comparison stands)"});
  }
  if (c.curved.status == FitStatus::kConverged) {
    look("with a parabola in each arm", c.curved.p_holm, c.curved.centre.difference,
         "p " + p_text(c.curved.p_holm));
  }
  return looks;
}

// "; this is not established with X, nor Y": the looks that do not share the straight lines'
// finding; where these find nothing, the looks that find a difference, in whichever sense.
std::string dissent(const std::vector<Look>& looks, int finding) {
  std::string list;
  for (const Look& look : looks) {
    if (look.steeper == finding) continue;
    list += (list.empty() ? "" : finding != 0 ? ", nor " : ", and ") + look.text;
  }
  if (list.empty()) return "";
  return (finding != 0 ? "; this is not established " : "; a difference is found ") + list;
}

// Straight lines may differ only because one arm nears a floor sooner.
std::string free_floors(const Comparison& c, bool found, double significance) {
  if (c.floor.status != FitStatus::kConverged) return "";
  const std::string start =
      "With a floor of its own in each arm (L = E + A N^-alpha) the exponents ";
  const std::string numbers = " (" + fixed(c.floor.alpha_a, 2) + " of " + c.arm_a + ", " +
                              fixed(c.floor.alpha_b, 2) + " of " + c.arm_b + ", p " +
                              p_text(c.floor.p_holm) + ")";
  if (c.floor.p_holm < significance) {
    const bool alike = sense(c.floor.alpha_a - c.floor.alpha_b) == sense(c.difference);
    return start +
           (!found  ? "differ, though the straight lines' slopes were not told apart"
            : alike ? "differ too"
                    : "differ the other way round") +
           numbers + ".";
  }
  return start + (found ? "are not told apart" : "are not told apart either") + numbers +
         (found ? ": the finding is of straight lines over this range." : ".");
}

std::string curves_sentence(const Comparison& c, double significance) {
  if (c.curved.status != FitStatus::kConverged || who_bends(c, significance).empty()) return "";
  const double sign = c.difference > 0 ? 1 : -1;
  const auto at = [&](const CurvedSlopes::At& there) {
    const Interval turned =
        sign > 0 ? there.interval : Interval{-there.interval.high, -there.interval.low};
    return fixed(sign * there.difference, 3) + " " + interval_text(turned.low, turned.high, 3) +
           " at N = " + human(there.n);
  };
  const CurvedSlopes::At &low = c.curved.low, &high = c.curved.high;
  const bool open = low.interval.contains(0) || high.interval.contains(0);
  const bool turns = !open && sense(low.difference) != sense(high.difference);
  return "With a parabola in ln N for each arm, which follows the bend, the slopes differ by " +
         at(c.curved.centre) + ", the centre of the data; at the ends by " + at(low) + " and by " +
         at(high) +
         (open    ? ": where the interval holds 0, no difference is shown."
          : turns ? ": which arm is steeper changes within the range."
                  : ".");
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

// The straight lines' finding of a difference. Where loss rises its slope is below 0.
std::string finding(const Comparison& c, const std::string& steeper, const std::string& flatter) {
  if (std::min(c.slope_a, c.slope_b) > 0) {
    return "the loss of " + steeper + " falls more steeply with N than that of " + flatter;
  }
  if (std::max(c.slope_a, c.slope_b) > 0) {
    return "the loss of " + steeper + " falls with N, that of " + flatter + " does not";
  }
  return "the loss of " + flatter + " rises more steeply with N than that of " + steeper;
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
              ", which both arms cover (" + std::string(in_words(c.n_count)) +
              "), at D = " + human(*options.selection.train_tokens) +
              " tokens and this recipe, and as straight lines in ln L over ln N, ";
  if (found) {
    c.verdict += finding(c, steeper, flatter) + ": " + numbers;
  } else {
    c.verdict += "no difference between the slopes of " + c.arm_a + " and " + c.arm_b +
                 " was found: " + numbers + ", which is not equality (a difference of " +
                 fixed(std::max(std::abs(c.interval.low), std::abs(c.interval.high)), 3) +
                 " is not excluded)";
  }
  c.verdict += dissent(other_looks(c, other, significance), found ? sense(c.difference) : 0) + ".";
  for (const std::string& remark :
       {who_bends(c, significance) + who_leads(c, options.level), certainty(c, found),
        sizes_left_out(c), free_floors(c, found, significance), curves_sentence(c, significance),
        crossing_sentence(c), scope(c)}) {
    if (!remark.empty()) c.remarks.push_back(remark);
  }
}

}  // namespace scalelaw
