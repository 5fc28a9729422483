#include "analysis/compare.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/common_sizes.h"
#include "analysis/curved_slopes.h"
#include "analysis/equal_exponents.h"
#include "analysis/equal_size.h"
#include "analysis/fitting/bootstrap.h"
#include "analysis/fitting/distributions.h"
#include "analysis/fitting/robust_refine.h"
#include "analysis/slope_difference.h"

namespace scalelaw {
namespace {

// Runs of both arms drawn together, so that a replicate keeps no arm's count fixed by force.
void bootstrap_difference(const ArmLaws& a, const ArmLaws& b, const LawOptions& options,
                          Comparison& out) {
  struct Arm {
    FitData data;
    std::vector<double> theta;
    double delta;
  };
  std::vector<Arm> arms;
  std::vector<int> cluster;
  for (const ArmLaws* laws : {&a, &b}) {
    const FitData data(run_clusters(laws->cells).observations);
    for (std::size_t i = 0; i < data.rows(); ++i)
      cluster.push_back(static_cast<int>(cluster.size()));
    const double delta = default_huber_delta(power_law(), data);
    const FitResult best = fit_robust(power_law(), data, {.huber_delta = delta});
    if (best.status != FitStatus::kConverged) return;
    arms.push_back({data, best.theta, delta});
  }
  const auto refit = [&](std::span<const double> weights) {
    double slopes[2] = {0, 0};
    std::size_t first = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      FitData replicate = arms[k].data;
      const auto own = weights.subspan(first, replicate.rows());
      first += replicate.rows();
      replicate.weight.assign(own.begin(), own.end());
      if (replicate.distinct_scales() < kFewestSizesForPowerLaw) return Replicate{};
      const FitResult fit =
          refine(power_law(), replicate, arms[k].theta, {.huber_delta = arms[k].delta});
      if (fit.status != FitStatus::kConverged) return Replicate{Replicate::Outcome::kStuck, {}};
      slopes[k] = fit.theta[0];
    }
    return Replicate{Replicate::Outcome::kFitted, {slopes[0] - slopes[1]}};
  };
  const BootstrapResult result =
      bootstrap(cluster, static_cast<int>(cluster.size()), options.bootstrap(), refit);
  out.bootstrap_interval = result.interval(0, out.level);
  out.bootstrap_replicates = result.replicates;
  out.bootstrap_stuck = result.stuck;
  out.bootstrap_degenerate = result.degenerate;
}

void warn_of_shared_runs(const RunTable& table, const ArmLaws& a, const ArmLaws& b,
                         Comparison& out) {
  std::set<std::string> of_a;
  for (const SizeCell& c : a.cells) {
    for (const std::size_t row : c.rows) of_a.insert(table.rows[row].record.content_hash);
  }
  int shared = 0;
  for (const SizeCell& c : b.cells) {
    for (const std::size_t row : c.rows)
      shared += of_a.contains(table.rows[row].record.content_hash);
  }
  if (shared == 0) return;
  out.warnings.push_back(a.arm + " and " + b.arm + " share " + std::to_string(shared) +
                         (shared == 1 ? " run" : " runs") +
                         ": the tests take the arms for independent, and at those sizes "
                         "losses are not set side by side");
}

const RunRow& first_row(const RunTable& table, const ArmLaws& arm) {
  return table.rows[arm.cells.front().rows.front()];
}

void warn_of_texts(const RunRow& a, const RunRow& b, Comparison& out) {
  if (a.record.tokenizer_hash != b.record.tokenizer_hash) {
    out.warnings.push_back(out.arm_a + " and " + out.arm_b +
                           " have different tokenizers; that they read the same texts was not "
                           "checked");
  } else if (a.record.train_hash != b.record.train_hash) {
    out.different_training = true;
    out.warnings.push_back(out.arm_a + " and " + out.arm_b + " were trained on different texts (" +
                           a.record.train_set + " and " + b.record.train_set +
                           "): their difference is that of the texts too");
  }
}

void warn_of_unpaired_windows(Comparison& out) {
  out.warnings.push_back(out.arm_a + " and " + out.arm_b +
                         " read the test text in different windows (n_ctx or tokenizer): what it "
                         "adds to their difference is the sum of both arms' parts, too much where "
                         "the text does the same to both");
}

// Why two arms have no common lines; kConverged and the sizes to fit where they have.
FitStatus comparable(const RunTable& table, const ArmLaws& a, const ArmLaws& b,
                     const LawOptions& options, CommonSizes& common, std::string& why) {
  for (const ArmLaws* laws : {&a, &b}) {
    if (!laws->cells.empty()) continue;
    why = "arm " + laws->arm + ": " + (laws->left_out.empty() ? laws->power.why : laws->left_out);
    return FitStatus::kNotComparable;
  }
  // Within an arm all runs have one tokenizer, training text and test text (select_runs).
  const std::string differ =
      different_tests(first_row(table, a), first_row(table, b), options.selection);
  if (!differ.empty()) {
    why = "they " + differ;
    return FitStatus::kNotComparable;
  }
  for (const ArmLaws* laws : {&a, &b}) {
    if (laws->power.sizes >= kFewestSizesForPowerLaw) continue;
    why = "arm " + laws->arm + ": " + laws->power.why;
    return FitStatus::kTooFewPoints;
  }
  common = common_sizes(a, b, options.level);
  why = common.why;
  return why.empty() ? FitStatus::kConverged : FitStatus::kNotComparable;
}

// The tests of slopes, all on the common sizes.
void compare_lines(const CommonSizes& common, bool paired, const LawOptions& options,
                   Comparison& out) {
  const ArmLaws &a = common.a, &b = common.b;
  out.sizes_a = a.power.sizes;
  out.sizes_b = b.power.sizes;
  out.bend_p_a = a.power.curvature_p;
  out.bend_p_b = b.power.curvature_p;
  out.n_low = std::min(a.cells.front().n, b.cells.front().n);
  out.n_high = std::max(a.cells.back().n, b.cells.back().n);
  compare_slopes(a, b, paired, out);
  if (!std::isfinite(out.p)) {
    out.status = FitStatus::kDegenerate;
    out.why = "the difference of their slopes is not a number";
    return;
  }
  out.detectable = detectable_effect(out.standard_error, out.df, 1 - out.level, 0.8);
  out.detectable_in_half = detectable_effect(out.standard_error, out.df, 1 - out.level, 0.5);
  if (options.equivalent_within) {
    out.equivalence = test_equivalence(out.difference, out.standard_error, out.df,
                                       *options.equivalent_within, 1 - out.level);
  }
  CrossingSet& set = out.crossing;
  set.estimate_measured = set.estimate >= out.shared_low && set.estimate <= out.shared_high;
  set.set_measured = set.kind == CrossingSet::Kind::kInterval && set.low >= out.shared_low &&
                     set.high <= out.shared_high;
  bootstrap_difference(a, b, options, out);
  out.curved = compare_curved_slopes(a, b, paired, out.shared_low, out.shared_high, out.level);
  out.floor = compare_with_floors(a, b);
}

struct AdjustedP {
  double p;
  double* holm;
};

void adjust_by_holm(std::vector<AdjustedP> tests) {
  std::sort(tests.begin(), tests.end(), [](auto& x, auto& y) { return x.p < y.p; });
  double running = 0;
  for (std::size_t k = 0; k < tests.size(); ++k) {
    running = std::max(running, tests[k].p * static_cast<double>(tests.size() - k));
    *tests[k].holm = std::min(running, 1.0);
  }
}

}  // namespace

Comparison compare_arms(const RunTable& table, const ArmLaws& a, const ArmLaws& b,
                        const LawOptions& options, int pairs) {
  Comparison out;
  out.pairs = pairs;
  out.level = 1 - (1 - options.level) / pairs;
  out.arm_a = a.arm;
  out.arm_b = b.arm;
  out.n_count = a.n_count;
  CommonSizes common;
  out.status = comparable(table, a, b, options, common, out.why);
  out.left_out = common.left_out;
  out.shared_low = common.shared_low;
  out.shared_high = common.shared_high;
  if (a.cells.empty() || b.cells.empty()) return out;
  const RunRow &first_a = first_row(table, a), &first_b = first_row(table, b);
  if (!different_tests(first_a, first_b, options.selection).empty()) return out;
  const bool paired = same_windows(first_a, first_b, options.selection.test_set);
  out.at_equal_n = equal_size_differences(a, b, paired);
  out.largest = paired_windows(table, a, b, options.selection);
  warn_of_shared_runs(table, a, b, out);
  warn_of_texts(first_a, first_b, out);
  if (!paired && !a.windows.empty() && !b.windows.empty()) warn_of_unpaired_windows(out);
  if (out.status != FitStatus::kConverged) return out;
  compare_lines(common, paired, options, out);
  out.compute_gains = equivalent_gains(by_compute(table, a), by_compute(table, b), paired,
                                       options.gain_at, out.level);
  out.size_gains = equivalent_gains(a, b, paired, {}, out.level);
  return out;
}

std::vector<Comparison> compare_all(const RunTable& table, const std::vector<ArmLaws>& laws,
                                    const LawOptions& options,
                                    const std::vector<Comparison>* other) {
  int pairs = 0;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    for (std::size_t j = i + 1; j < laws.size(); ++j) {
      CommonSizes common;
      std::string why;
      pairs += comparable(table, laws[i], laws[j], options, common, why) == FitStatus::kConverged;
    }
  }
  pairs = std::max(pairs, 1);
  std::vector<Comparison> all;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    for (std::size_t j = i + 1; j < laws.size(); ++j) {
      all.push_back(compare_arms(table, laws[i], laws[j], options, pairs));
    }
  }
  std::vector<AdjustedP> slopes, floors, curves, equalities;
  for (Comparison& c : all) {
    if (c.status != FitStatus::kConverged) continue;
    slopes.push_back({c.p, &c.p_holm});
    if (c.equivalence) equalities.push_back({c.equivalence->p, &c.equivalence->p_holm});
    if (c.floor.status == FitStatus::kConverged) floors.push_back({c.floor.p, &c.floor.p_holm});
    if (c.curved.status == FitStatus::kConverged) curves.push_back({c.curved.p, &c.curved.p_holm});
  }
  for (auto* tests : {&slopes, &floors, &curves, &equalities}) adjust_by_holm(std::move(*tests));
  for (std::size_t k = 0; k < all.size(); ++k) {
    put_in_words(all[k], other ? &other->at(k) : nullptr, options);
  }
  return all;
}

}  // namespace scalelaw
