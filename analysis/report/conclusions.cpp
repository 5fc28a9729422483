#include <algorithm>
#include <cmath>

#include "analysis/number_text.h"
#include "analysis/report/sections.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMostSlopesListed = 9, kMostPairsInSentences = 3;
constexpr double kComparableSizes = 0.25;  // in ln N: further apart a difference is one of size

std::string points(const ArmLaws& arm) {
  return std::to_string(arm.power.sizes) + " sizes, " + std::to_string(arm.power.runs) + " runs";
}

// "0.113, 0.141, 0.130", or of many the ends and the extremes.
std::string slopes_text(const std::vector<LocalSlope>& slopes) {
  if (slopes.size() <= kMostSlopesListed) {
    std::string list;
    for (const LocalSlope& s : slopes) list += (list.empty() ? "" : ", ") + fixed(s.slope, 3);
    return "are " + list + " from the small end to the large";
  }
  const auto [least, most] = std::minmax_element(
      slopes.begin(), slopes.end(), [](auto& a, auto& b) { return a.slope < b.slope; });
  return "are " + fixed(slopes.front().slope, 3) + " at the small end, " +
         fixed(slopes.back().slope, 3) + " at the large and between " + fixed(least->slope, 3) +
         " and " + fixed(most->slope, 3);
}

// "a = 0.110 [0.098, 0.122] (8 sizes, 10 runs; slopes between neighbouring sizes are ...)"
std::string law_text(const ArmLaws& arm, double level) {
  const PowerLawFit& p = arm.power;
  if (p.status != FitStatus::kConverged) return arm.arm + " has no law here (" + p.why + ")";
  std::string text = arm.arm + " a = " + fixed(p.slope, 3) + " " +
                     interval_text(p.slope_interval.low, p.slope_interval.high, 3) + " (" +
                     points(arm);
  if (p.curvature_p && *p.curvature_p < 1 - level && !arm.local_slopes.empty()) {
    text += "; it bends: slopes between neighbouring sizes " + slopes_text(arm.local_slopes);
  }
  return text + ")";
}

std::string laws_sentence(const Study& study) {
  std::string text =
      "Laws L = (N_c / N)^a with " + level_text(study.options.level) + " intervals: ";
  for (const ArmLaws& arm : study.laws) {
    text += (&arm == &study.laws.front() ? "" : "; ") + law_text(arm, study.options.level);
  }
  return text + ".";
}

std::string floor_text(const ArmLaws& arm) {
  const FloorFit& f = arm.floor;
  switch (f.least_squares.status) {
    case FitStatus::kTooFewPoints:
    case FitStatus::kDegenerate:
    case FitStatus::kNotConverged:
    case FitStatus::kNotComparable:
      return arm.arm + " not fitted (" + f.least_squares.why + ")";
    case FitStatus::kNotIdentified:
      return arm.arm + " not identified (" + f.least_squares.why + ")";
    case FitStatus::kAtBound:
      return arm.arm + " best at E = 0" +
             (f.floor.high_bounded ? ", E above " + fixed(f.floor.high, 2) + " excluded" : "");
    case FitStatus::kConverged:
      break;
  }
  if (!f.floor.identified()) {
    return arm.arm + " not identified, its set " +
           (f.floor.low_bounded    ? "has no upper end below the smallest loss"
            : f.floor.high_bounded ? "reaches from 0 to " + fixed(f.floor.high, 2)
                                   : "holds everything from 0 to the smallest loss");
  }
  return arm.arm + " " + fixed(f.e(), 2) + " " + interval_text(f.floor.low, f.floor.high, 2) +
         " with alpha = " + fixed(f.least_squares.theta[0], 2) +
         (f.alpha_over_set ? " (" + fixed(f.alpha_over_set->low, 2) + " to " +
                                 fixed(f.alpha_over_set->high, 2) + " over that set)"
                           : "");
}

std::string floors_sentence(const Study& study) {
  std::string text =
      "With a floor, L = E + A N^-alpha, E at " + level_text(study.options.level) + ": ";
  int unconverged = 0;
  for (const ArmLaws& arm : study.laws) {
    text += (&arm == &study.laws.front() ? "" : "; ") + floor_text(arm);
    unconverged += arm.floor.floor.unconverged;
  }
  text +=
      ". No floor is claimed: at one D it cannot be told from what limited data cost (B D^-beta).";
  if (unconverged > 0) {
    text += " " + std::to_string(unconverged) +
            " refits along those sets did not converge and count as inside.";
  }
  return text;
}

std::string largest_sentence(const Comparison& c, const CellNoise& noise) {
  const PairedWindows& w = *c.largest;
  std::string text = "The largest runs differ by " + signed_fixed(w.loss_difference_nats, 3) +
                     " nats per token (" + c.arm_a + " at N = " + human(w.n_a) + " minus " +
                     c.arm_b + " at " + human(w.n_b) + "), standard error " +
                     fixed(w.standard_error_nats, 3) + " over the same test text";
  if (noise.seed.df > 0) {
    text += "; two runs that differ in seeds alone differ by about " +
            percent(std::sqrt(2.0) * noise.seed.sd_ln_loss, 1) + " of their loss";
  }
  return text + ".";
}

std::string counting_sentence(const Study& study) {
  const Comparison& other = study.other_comparisons.front();
  return "Counted otherwise, with N for " + std::string(in_words(study.other_count)) + " (" +
         human(other.shared_low) + " to " + human(other.shared_high) + "), the slopes of " +
         other.arm_a + " and " + other.arm_b + " are " + fixed(other.slope_a, 3) + " and " +
         fixed(other.slope_b, 3) + ", difference " + signed_fixed(other.difference, 3) + " " +
         interval_text(other.interval.low, other.interval.high, 3) +
         (other.p_holm < 1 - study.options.level ? "." : ": not established.");
}

// Of several pairs: how many differ; the section on comparisons has the rest.
std::string pairs_sentence(const Study& study) {
  std::string differ;
  int found = 0, compared = 0;
  for (const Comparison& c : study.comparisons) {
    if (c.status != FitStatus::kConverged) continue;
    ++compared;
    if (c.p_holm >= 1 - study.options.level) continue;
    ++found;
    const bool a_steeper = c.difference > 0;
    differ += (differ.empty() ? "" : ", ") + (a_steeper ? c.arm_a : c.arm_b) + " than " +
              (a_steeper ? c.arm_b : c.arm_a);
  }
  return "At " + study.options.selection.horizon +
         " and this recipe, and as straight lines in ln L over ln N (" +
         std::string(in_words(study.options.selection.n_count)) + "), of " +
         std::to_string(compared) + " pairs of arms that can be compared " + std::to_string(found) +
         " differ in slope (Holm's p below " + fixed(1 - study.options.level, 2) + ")" +
         (found == 0 ? ", which does not make the others equal."
                     : "; larger slopes have " + differ + ".");
}

// "lstm 0.101 and gru 0.081, difference +0.020 [0.003, 0.037]; ..."
std::string in_one_list(const std::vector<const Comparison*>& pairs) {
  std::string list;
  for (const Comparison* c : pairs) {
    list += (list.empty() ? "" : "; ") + c->arm_a + " " + fixed(c->slope_a, 3) + " and " +
            c->arm_b + " " + fixed(c->slope_b, 3) + ", difference " +
            signed_fixed(c->difference, 3) + " " +
            interval_text(c->interval.low, c->interval.high, 3);
  }
  return list;
}

// A sentence a pair would bury the page where pairs are many.
std::vector<std::string> many_pairs(const Study& study) {
  std::vector<const Comparison*> differ, open;
  std::vector<std::string> sentences;
  for (const Comparison& c : study.comparisons) {
    if (c.status != FitStatus::kConverged) {
      sentences.push_back(c.verdict);
    } else {
      (c.p_holm < 1 - study.options.level ? differ : open).push_back(&c);
    }
  }
  const auto brackets = [](const Comparison& c) {
    return " (brackets: " + level_text(c.level) + " intervals, Bonferroni's over the pairs): ";
  };
  if (!open.empty()) {
    sentences.insert(sentences.begin(),
                     "No difference was found, which is not equality, between the slopes of" +
                         brackets(*open.front()) + in_one_list(open) + ".");
  }
  if (!differ.empty()) {
    sentences.insert(sentences.begin(),
                     "Slopes that differ" + brackets(*differ.front()) + in_one_list(differ) +
                         ". Under Comparison stands of each pair whether floors and "
                         "parabolas agree.");
  }
  return sentences;
}

std::string single_arm_sentence(const Study& study) {
  const ArmLaws& arm = study.laws.front();
  return "Over N from " + human(arm.cells.front().n) + " to " + human(arm.cells.back().n) + " (" +
         std::string(in_words(arm.n_count)) + "), at " + study.options.selection.horizon +
         " and this recipe: " + law_text(arm, study.options.level) +
         (arm.power.status == FitStatus::kConverged ? " in L = (N_c / N)^a." : ".");
}

// What all sentences share and none repeats: the points, what was left out, and what is counted.
std::string points_sentence(const Study& study) {
  const Selection& s = study.options.selection;
  std::string arms;
  std::size_t used = 0;
  for (const ArmLaws& arm : study.laws) {
    std::size_t runs = 0;
    for (const SizeCell& cell : arm.cells) runs += cell.rows.size();
    used += runs;
    arms += (arms.empty() ? "" : ", ") + arm.arm + " " + std::to_string(runs) + " of " +
            std::to_string(arm.cells.size()) + " sizes";
  }
  const auto left_out = std::count_if(study.table.excluded.begin(), study.table.excluded.end(),
                                      [](const Exclusion& e) { return !e.is_trial; });
  return "The points: " + std::to_string(used) + " runs at " + s.horizon + " (" + arms +
         "; left out: " +
         (left_out == 0 ? "none" : std::to_string(left_out) + ", with reasons under Runs") +
         "). Unless said otherwise N counts " + std::string(in_words(s.n_count)) + ", loss is in " +
         std::string(unit(s.metric)) + " on test set " + s.test_set + ", and brackets are " +
         level_text(study.options.level) + " intervals.";
}

}  // namespace

Conclusions conclusions(const Study& study) {
  Conclusions out;
  if (study.comparisons.empty()) {
    out.finding = single_arm_sentence(study);
  } else if (study.comparisons.size() > 1) {
    out.finding = pairs_sentence(study);
    if (study.comparisons.size() > kMostPairsInSentences) {
      out.support = many_pairs(study);
    } else {
      for (const Comparison& c : study.comparisons) out.support.push_back(c.verdict);
    }
  } else {
    const Comparison& c = study.comparisons.front();
    out.finding = c.verdict;
    out.support = c.remarks;
    if (c.largest && std::abs(std::log(c.largest->n_a / c.largest->n_b)) < kComparableSizes) {
      out.support.push_back(largest_sentence(c, study.noise));
    }
  }
  if (!study.comparisons.empty()) out.support.push_back(laws_sentence(study));
  out.support.push_back(floors_sentence(study));
  const std::string ways = multiverse_sentence(study);
  if (!ways.empty()) out.support.push_back(ways);
  if (study.comparisons.size() == 1 && study.comparisons.front().status == FitStatus::kConverged &&
      !study.other_comparisons.empty() &&
      study.other_comparisons.front().status == FitStatus::kConverged) {
    out.support.push_back(counting_sentence(study));
  }
  out.support.push_back(points_sentence(study));
  return out;
}

}  // namespace scalelaw
