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
  if (sizes == 0) return "The arms share no size at which their losses can be set side by side.";
  const auto leads = [](const EqualSizeDifference& d) { return d.ln_loss_difference < 0; };  // a
  const auto of_a =
      static_cast<std::size_t>(std::count_if(c.at_equal_n.begin(), c.at_equal_n.end(), leads));
  const std::string all = std::to_string(sizes) + (sizes == 1 ? " size" : " sizes");
  if (of_a == 0 || of_a == sizes) {
    const auto unsure = std::count_if(c.at_equal_n.begin(), c.at_equal_n.end(), [](const auto& d) {
      return d.standard_error && std::abs(d.ln_loss_difference) < 2 * *d.standard_error;
    });
    return "At equal N, " + (of_a == 0 ? c.arm_b : c.arm_a) +
           " has the lower loss at every one of the " + all + " that can be set side by side" +
           (unsure > 0
                ? " (at " + std::to_string(unsure) + " of them by less than two standard errors)."
                : ".");
  }
  const std::string& small = leads(c.at_equal_n.front()) ? c.arm_a : c.arm_b;
  const std::string& large = leads(c.at_equal_n.front()) ? c.arm_b : c.arm_a;
  const auto turn = std::find_if(c.at_equal_n.begin(), c.at_equal_n.end(), [&](const auto& d) {
    return leads(d) != leads(c.at_equal_n.front());
  });
  if (std::all_of(turn, c.at_equal_n.end(),
                  [&](const auto& d) { return leads(d) == leads(*turn); })) {
    return "Of the " + all + " that can be set side by side " + small +
           " has the lower loss up to N = " + human(std::prev(turn)->n) + " and " + large +
           " from " + human(turn->n) + " on.";
  }
  return "At equal N neither leads throughout: " + c.arm_a + " has the lower loss at " +
         std::to_string(of_a) + " of the " + all + " that can be set side by side.";
}

std::string who_bends(const Comparison& c) {
  const auto bends = [](const std::optional<double>& p) { return p && *p < 0.05; };
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

std::string certainty(const Comparison& c) {
  std::string text = "The interval is Student's t with " + fixed(c.df, 1) +
                     " degrees of freedom on the weighted means of " + std::to_string(c.sizes_a) +
                     " and " + std::to_string(c.sizes_b) +
                     " sizes, each arm with its own scatter." + few_sizes(c) +
                     " A true difference of " + fixed(c.detectable, 3) +
                     " is found in 80% of such studies (this design, this noise), one of " +
                     fixed(c.detectable_in_half, 3) + " in half of them.";
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
  bool differs = false;  // finds a difference, in the sense of the straight lines' estimate
  bool result = true;    // else it could not be taken, which establishes nothing either
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

std::vector<Look> other_looks(const Comparison& c, const Comparison* other, double significance) {
  std::vector<Look> looks;
  if (c.floor.status == FitStatus::kConverged) {
    looks.push_back({"with a free floor in each arm (p " + p_text(c.floor.p_holm) + ")",
                     c.floor.p_holm < significance &&
                         (c.floor.alpha_a > c.floor.alpha_b) == (c.difference > 0)});
  } else {
    looks.push_back({"with a free floor in each arm (no such fit stands)", false, false});
  }
  if (other && other->status == FitStatus::kConverged) {
    const double sign = c.difference > 0 ? 1 : -1;
    const Interval& i = other->interval;
    const Interval turned = sign > 0 ? i : Interval{-i.high, -i.low};
    looks.push_back({counted_otherwise(c.n_count) + " (difference " +
                         fixed(sign * other->difference, 3) + " " +
                         interval_text(turned.low, turned.high, 3) + ")",
                     other->p_holm < significance && sign * other->difference > 0});
  } else if (other) {
    looks.push_back({counted_otherwise(c.n_count) + " (no comparison stands)", false, false});
  }
  if (c.curved.status == FitStatus::kConverged) {
    looks.push_back(
        {"with a parabola in each arm (p " + p_text(c.curved.p_holm) + ")",
         c.curved.p_holm < significance && (c.curved.centre.difference > 0) == (c.difference > 0)});
  }
  return looks;
}

// ", but not so with X or Y": the looks that do not share the straight lines' finding.
std::string dissent(const std::vector<Look>& looks, bool found) {
  std::string list;
  for (const Look& look : looks) {
    if (look.differs == found || (!found && !look.result)) continue;
    list += (list.empty() ? "" : found ? ", nor " : ", and ") + look.text;
  }
  if (list.empty()) return "";
  return (found ? "; this is not established " : "; a difference is found ") + list;
}

// Straight lines may differ only because one arm nears a floor sooner.
std::string free_floors(const Comparison& c, bool found, double significance) {
  if (c.floor.status != FitStatus::kConverged) return "";
  const std::string start =
      "With a floor of its own in each arm (L = E + A N^-alpha) the exponents ";
  const std::string p = " (p " + p_text(c.floor.p_holm) + ")";
  if (c.floor.p_holm < significance) {
    return start +
           (found ? "differ too"
                  : "differ, though the straight lines' slopes were not told apart") +
           p + ".";
  }
  return start + (found ? "are not told apart" : "are not told apart either") + p +
         (found ? ": the finding is of straight lines over this range." : ".");
}

std::string curves_sentence(const Comparison& c) {
  if (c.curved.status != FitStatus::kConverged || who_bends(c).empty()) return "";
  const double sign = c.difference > 0 ? 1 : -1;
  const auto at = [&](const CurvedSlopes::At& there) {
    const Interval turned =
        sign > 0 ? there.interval : Interval{-there.interval.high, -there.interval.low};
    return fixed(sign * there.difference, 3) + " " + interval_text(turned.low, turned.high, 3) +
           " at N = " + human(there.n);
  };
  const bool open = c.curved.low.interval.contains(0) || c.curved.high.interval.contains(0);
  return "With a parabola in ln N for each arm, which follows the bend, the slopes differ by " +
         at(c.curved.centre) + ", the centre of the data; at the ends by " + at(c.curved.low) +
         " and by " + at(c.curved.high) +
         (open ? ": where the interval holds 0, no difference is shown." : ".");
}

std::string scope(const Comparison& c) {
  const double decades = std::log10(c.n_high / c.n_low);
  std::string text = "N spans " + fixed(decades, 1) + " decades";
  text += decades <= 1 ? ": too little to call either line a law."
                       : "; another range may have another slope.";
  return text +
         " At one D slopes hold what limited data cost (B D^-beta): they need not be those at "
         "another D, and no floor is claimed." +
         (c.different_training ? " The arms read different training texts." : "");
}

}  // namespace

void put_in_words(Comparison& c, const Comparison* other, const LawOptions& options) {
  const double significance = 1 - options.level;
  if (c.status != FitStatus::kConverged) {
    c.verdict =
        "The slopes of " + c.arm_a + " and " + c.arm_b + " cannot be compared: " + c.why + ".";
    for (const std::string& remark : {sizes_left_out(c)}) {
      if (!remark.empty()) c.remarks.push_back(remark);
    }
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
  c.verdict = "Over N from " + human(c.n_low) + " to " + human(c.n_high) + " (" +
              std::string(in_words(c.n_count)) +
              "), at D = " + human(*options.selection.train_tokens) +
              " tokens and this recipe, and as straight lines in ln L over ln N, ";
  if (found) {
    c.verdict += "the loss of " + steeper + " falls more steeply with N than that of " + flatter +
                 ": " + numbers;
  } else {
    c.verdict += "no difference between the slopes of " + c.arm_a + " and " + c.arm_b +
                 " was found: " + numbers + ", which is not equality (a difference of " +
                 fixed(std::max(std::abs(c.interval.low), std::abs(c.interval.high)), 3) +
                 " is not excluded)";
  }
  c.verdict += dissent(other_looks(c, other, significance), found) + ".";
  for (const std::string& remark :
       {who_bends(c) + who_leads(c), certainty(c), sizes_left_out(c),
        free_floors(c, found, significance), curves_sentence(c), crossing_sentence(c), scope(c)}) {
    if (!remark.empty()) c.remarks.push_back(remark);
  }
}

}  // namespace scalelaw
