// Two arms side by side at one D and recipe: slopes, crossing, losses at equal N; and a verdict
// that says only what the data carry.
//
// The slope test is Welch's t test of the difference (f its square) on weighted cell means, each
// arm with its own level, slope and residual scale, on the sizes that both arms' ranges cover
// (common_sizes.h): all that a comparison says of slopes, bends, floors and the crossing is of
// those. A floor, where the data can carry one, is free in both arms: a shared floor sharpens the
// test threefold but turns a true difference of .005 in E into 24% false alarms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/arm_laws.h"
#include "analysis/crossing_set.h"
#include "analysis/equivalent_gain.h"
#include "analysis/slope_equivalence.h"

namespace scalelaw {

// ln(loss of a) - ln(loss of b) near one N.
struct EqualSizeDifference {
  double n = 0;
  bool interpolated = false;  // b's loss by a straight line in logs between its neighbours
  double ln_loss_difference = 0;
  // Of seed noise (pooled over all sizes and arms) and test text; nullopt: seed noise is not known.
  std::optional<double> standard_error = std::nullopt;
  double df = 0;  // of standard_error, Satterthwaite's
  bool text_counted = false;
};

// The largest runs of both arms, window by window on the same test text.
struct PairedWindows {
  std::string folder_a, folder_b;
  double n_a = 0, n_b = 0;
  double loss_difference_nats = 0, standard_error_nats = 0;  // of the text, by blocks; no seeds
  int64_t windows = 0;
};

// Equal exponents with a free floor in both arms; one residual scale for both.
struct FloorComparison {
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  double alpha_a = 0, alpha_b = 0, shared_alpha = 0, f = 0, p = 1;
  double p_holm = 1;  // over the pairs that have such a test
  int df = 0;
};

// Slope of a minus slope of b with a parabola in ln N for each arm (curved_slopes.h).
struct CurvedSlopes {
  struct At {
    double n = 0, difference = 0, standard_error = 0;
    Interval interval;  // at the comparison's level
    double df = 0;      // its own, Satterthwaite's
  };
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  At low, centre, high;      // ends of the range that both cover; the weighted centre of ln N
  double p = 1, p_holm = 1;  // of equal slopes at the centre
};

// A size of one arm outside the range that both arms cover.
struct LeftOutSize {
  std::string arm;
  double n = 0;
};

struct Comparison {
  std::string arm_a, arm_b;
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  NCount n_count = NCount::kNonEmbedding;
  int sizes_a = 0, sizes_b = 0;  // used
  std::vector<LeftOutSize> left_out;
  double n_low = 0, n_high = 0;              // of the sizes used
  double shared_low = 0, shared_high = 0;    // range of N that both arms cover
  std::optional<double> bend_p_a, bend_p_b;  // of a quadratic term, on the sizes used
  double slope_a = 0, slope_b = 0;
  Interval slope_interval_a, slope_interval_b;  // of each arm alone, at LawOptions::level
  double difference = 0, standard_error = 0;    // slope of a minus slope of b
  // The part that the test text adds to it; nullopt: not known, and not counted.
  std::optional<double> text_standard_error;
  int pairs = 1;        // compared together
  double level = 0.95;  // of every interval and of power: Bonferroni's over the pairs
  Interval interval;
  double df = 0;        // of it, Satterthwaite's: not whole
  double f = 0, p = 1;  // of equal slopes
  double p_holm = 1;    // adjusted for the number of pairs compared
  // Differences found in 80% and in half of such designs at this noise.
  double detectable = 0, detectable_in_half = 0;
  // Larger end of the interval: straight lines whose slopes differ by more are excluded.
  double equivalence_margin = 0;
  std::optional<SlopeEquivalence> equivalence;  // where a margin was asked for
  std::optional<Interval> bootstrap_interval;   // robust slopes; over runs
  int bootstrap_replicates = 0, bootstrap_stuck = 0, bootstrap_degenerate = 0;
  bool different_training = false;  // the arms read different training texts
  CrossingSet crossing;
  FloorComparison floor;
  CurvedSlopes curved;
  EquivalentGains compute_gains, size_gains;
  std::vector<EqualSizeDifference> at_equal_n;
  std::optional<PairedWindows> largest;
  std::vector<std::string> warnings;
  std::string verdict;               // the finding, for people
  std::vector<std::string> remarks;  // to hold against it: crossing, bends, range, one D
};

// Without words, as one of `pairs` comparisons.
Comparison compare_arms(const RunTable& table, const ArmLaws& a, const ArmLaws& b,
                        const LawOptions& options, int pairs = 1);
// Every pair, in order; p_holm by Holm 1979, intervals and power by Bonferroni over those pairs
// that have slopes. (Holm rejects a little more: an interval may hold 0 where p_holm is small.)
// `other`: the same pairs by another count of N, for the verdict to hold itself against.
std::vector<Comparison> compare_all(const RunTable& table, const std::vector<ArmLaws>& laws,
                                    const LawOptions& options,
                                    const std::vector<Comparison>* other = nullptr);

// Fills in verdict and remarks; compare_all calls it once p_holm is known. `other`: the same pair
// by another count of N, or nullptr.
void put_in_words(Comparison& comparison, const Comparison* other, const LawOptions& options);

}  // namespace scalelaw
