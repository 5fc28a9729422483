#include <algorithm>
#include <cmath>

#include "analysis/number_text.h"
#include "analysis/report/sections.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kComparableSizes = 0.25;  // in ln N: further apart a difference is one of size

std::string points(const ArmLaws& arm) {
  return std::to_string(arm.power.sizes) + " sizes, " + std::to_string(arm.power.runs) + " runs";
}

std::string law_sentence(const Study& study, const ArmLaws& arm) {
  const LawOptions& options = study.options;
  const PowerLawFit& p = arm.power;
  if (p.status != FitStatus::kConverged) return arm.arm + " has no law here: " + p.why + ".";
  std::string text = arm.arm + ": L = (N_c / N)^a with a = " + fixed(p.slope, 3) + " " +
                     interval_text(p.slope_interval.low, p.slope_interval.high, 3) +
                     " and N_c = " + scientific(p.n_c) + ". N counts " +
                     std::string(name(arm.n_count)) + " parameters, from " +
                     human(arm.cells.front().n) + " to " + human(arm.cells.back().n) +
                     "; D = " + human(*options.selection.train_tokens) + " tokens; " + points(arm) +
                     ", " + fixed(100 * options.level, 0) + "% interval by t with " +
                     std::to_string(p.df) + (p.df == 1 ? " degree" : " degrees") + " of freedom.";
  if (p.curvature_p && *p.curvature_p < 0.05 && !arm.local_slopes.empty()) {
    text += " The points bend (p " + p_text(*p.curvature_p) + "): the local slope runs from " +
            fixed(arm.local_slopes.front().slope, 3) + " between the two smallest to " +
            fixed(arm.local_slopes.back().slope, 3) + " between the two largest sizes.";
  }
  return text;
}

std::string floor_sentence(const ArmLaws& arm) {
  const FloorFit& f = arm.floor;
  switch (f.least_squares.status) {
    case FitStatus::kTooFewPoints:
      return arm.arm + ": no floor is fitted (" + f.least_squares.why + ").";
    case FitStatus::kDegenerate:
    case FitStatus::kNotConverged:
      return arm.arm + ": the law with a floor could not be fitted (" + f.least_squares.why + ").";
    case FitStatus::kNotIdentified:
      return arm.arm + ": " + f.least_squares.why +
             "; E and alpha are not identified and E has no lower bound.";
    case FitStatus::kAtBound:
      return arm.arm + ": the best floor is E = 0; the data ask for none" +
             (f.floor.high_bounded ? ", and exclude E above " + fixed(f.floor.high, 2) : "") + ".";
    case FitStatus::kConverged:
      break;
  }
  if (!f.floor.identified()) {
    return arm.arm + ": the floor E is not identified: its 95% set " +
           (f.floor.low_bounded    ? "has no upper end below the smallest loss"
            : f.floor.high_bounded ? "reaches from 0 to " + fixed(f.floor.high, 2)
                                   : "holds everything from 0 to the smallest loss") +
           ". No floor is claimed.";
  }
  return arm.arm + ": a curve with a floor, E = " + fixed(f.e(), 2) + " " +
         interval_text(f.floor.low, f.floor.high, 2) +
         " with alpha = " + fixed(f.least_squares.theta[0], 2) +
         " fits these points better than a straight line. At one D it cannot be told from what "
         "limited data cost (B D^-beta), so it is no estimate of irreducible loss.";
}

}  // namespace

std::vector<std::string> conclusions(const Study& study) {
  std::vector<std::string> out;
  for (const Comparison& c : study.comparisons) {
    out.push_back(c.verdict);
    // Of several pairs the section on comparisons says the rest.
    if (study.comparisons.size() > 1) continue;
    out.insert(out.end(), c.remarks.begin(), c.remarks.end());
    if (c.largest && std::abs(std::log(c.largest->n_a / c.largest->n_b)) < kComparableSizes) {
      const PairedWindows& w = *c.largest;
      std::string text =
          "The largest runs differ by " + signed_fixed(w.loss_difference_nats, 3) +
          " nats per token (" + c.arm_a + " at N = " + human(w.n_a) + " minus " + c.arm_b + " at " +
          human(w.n_b) + "), standard error " + fixed(w.standard_error_nats, 4) +
          " over the same " + std::to_string(w.windows) +
          " windows of text (windows of one document are not independent; the error is a "
          "lower bound)";
      if (c.seed_noise.df > 0) {
        text += "; two runs that differ in seeds alone differ by about " +
                percent(std::sqrt(2.0) * c.seed_noise.sd_ln_loss, 1) + " of their loss";
      }
      out.push_back(text + ".");
    }
  }
  for (const ArmLaws& arm : study.laws) out.push_back(law_sentence(study, arm));
  for (const ArmLaws& arm : study.laws) {
    out.push_back(floor_sentence(arm));
    if (const int unconverged = arm.floor.floor.unconverged; unconverged > 0) {
      out.back() += " " + std::to_string(unconverged) +
                    " refits along that set did not converge and count as inside it.";
    }
  }
  if (study.seed_noise.df > 0) {
    out.push_back("Noise: seeds of one size spread by " + percent(study.seed_noise.sd_ln_loss, 2) +
                  " of the loss (pooled, " + std::to_string(study.seed_noise.df) +
                  (study.seed_noise.df == 1 ? " degree" : " degrees") + " of freedom).");
  }
  if (study.comparisons.size() == 1 && study.comparisons.front().status == FitStatus::kConverged &&
      study.other_comparisons.front().status == FitStatus::kConverged) {
    const Comparison& other = study.other_comparisons.front();
    out.push_back("Counting matters: by " + std::string(name(study.other_count)) +
                  " the slopes of " + other.arm_a + " and " + other.arm_b + " are " +
                  fixed(other.slope_a, 3) + " and " + fixed(other.slope_b, 3) + ", difference " +
                  signed_fixed(other.difference, 3) + " " +
                  interval_text(other.interval.low, other.interval.high, 3) + ".");
  }
  return out;
}

}  // namespace scalelaw
