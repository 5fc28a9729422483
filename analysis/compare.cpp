#include "analysis/compare.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/equal_size.h"
#include "analysis/fitting/bootstrap.h"
#include "analysis/fitting/distributions.h"
#include "analysis/fitting/robust_refine.h"
#include "analysis/fitting/variable_projection.h"
#include "analysis/slope_difference.h"

namespace scalelaw {
namespace {

constexpr double kPower = 0.8;

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
    const FitResult best = fit_robust(power_law(), data, {.huber_delta = laws->power.huber_delta});
    if (best.status != FitStatus::kConverged) return;
    arms.push_back({data, best.theta, laws->power.huber_delta});
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
  out.bootstrap_interval =
      bootstrap(cluster, static_cast<int>(cluster.size()), options.bootstrap(), refit)
          .interval(0, out.level);
}

// Smallest total residual sum of squares with one exponent for both arms, relative errors.
FloorComparison compare_with_floors(const ArmLaws& a, const ArmLaws& b) {
  FloorComparison out;
  std::vector<FitData> data;
  double free_rss = 0;
  for (const ArmLaws* laws : {&a, &b}) {
    data.push_back(data_of_means(laws->cells));
    const FitResult fit = fit_least_squares(power_law_with_floor(), data.back());
    if (fit.status != FitStatus::kConverged) {
      out.status = fit.status;
      out.why = laws->arm + ": " + fit.why;
      return out;
    }
    free_rss += fit.objective;
  }
  out.df = static_cast<int>(a.cells.size() + b.cells.size()) - 6;
  const auto shared_rss = [&](double alpha) {
    double rss = 0;
    for (const FitData& d : data) {
      const FitResult fit = fit_least_squares(power_law_with_floor(), d, {.fixed_exponent = alpha});
      rss += fit.theta.empty() ? 1e300 : fit.objective;
    }
    return rss;
  };
  double best = 0.02;
  for (int i = 0; i <= 120; ++i) {
    const double alpha = 0.02 * std::pow(125.0, i / 120.0);
    if (shared_rss(alpha) < shared_rss(best)) best = alpha;
  }
  double low = best / 1.05, high = best * 1.05;  // a golden section between grid neighbours
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  while (high - low > 1e-8) {
    const double left = high - golden * (high - low), right = low + golden * (high - low);
    (shared_rss(left) < shared_rss(right) ? high : low) =
        shared_rss(left) < shared_rss(right) ? right : left;
  }
  out.shared_alpha = 0.5 * (low + high);
  const double excess = std::max(shared_rss(out.shared_alpha) - free_rss, 0.0);
  out.status = FitStatus::kConverged;
  out.f = excess / (free_rss / out.df);
  out.p = f_upper_tail(out.f, 1, out.df);
  return out;
}

void warn_of_ranges(const ArmLaws& a, const ArmLaws& b, Comparison& out) {
  if (out.n_low >= out.n_high) {
    out.warnings.push_back("the arms share no range of N: their slopes belong to different sizes");
  } else if (std::max(a.cells.front().n / b.cells.front().n,
                      b.cells.front().n / a.cells.front().n) > 2 ||
             std::max(a.cells.back().n / b.cells.back().n, b.cells.back().n / a.cells.back().n) >
                 2) {
    out.warnings.push_back(
        "the arms' ranges of N differ by more than a factor of 2 at an end: where a power law "
        "bends, slopes over different ranges differ without a difference between the arms");
  }
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
                         ": the tests take the arms for independent");
}

const RunRow& first_row(const RunTable& table, const ArmLaws& arm) {
  return table.rows[arm.cells.front().rows.front()];
}

// Why losses of the two arms cannot be set side by side; "" where they can. Within an arm all runs
// have one tokenizer, training text and test text (select_runs).
std::string different_tests(const RunRow& a, const RunRow& b, const Selection& selection) {
  if (a.record.tokenizer_hash != b.record.tokenizer_hash) {
    // Hashes of tokens say nothing between tokenizers; bits per byte of one text do.
    if (selection.metric == LossMetric::kBitsPerByte) return "";
    return "they have different tokenizers, so their losses per token are of different units; use "
           "--metric bits_per_byte";
  }
  const TestResult &one = a.record.test.at(selection.test_set),
                   &two = b.record.test.at(selection.test_set);
  if (one.token_hash != two.token_hash) {
    return "they were tested on different texts, both named " + selection.test_set;
  }
  if (one.tokens != two.tokens) {
    return "they were tested on " + std::to_string(one.tokens) + " and " +
           std::to_string(two.tokens) + " tokens of " + selection.test_set;
  }
  return "";
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

}  // namespace

Comparison compare_arms(const RunTable& table, const ArmLaws& a, const ArmLaws& b,
                        const LawOptions& options, int pairs) {
  Comparison out;
  out.pairs = pairs;
  out.level = 1 - (1 - options.level) / pairs;
  out.arm_a = a.arm;
  out.arm_b = b.arm;
  const RunRow &first_a = first_row(table, a), &first_b = first_row(table, b);
  const Selection& selection = options.selection;
  out.why = different_tests(first_a, first_b, selection);
  if (!out.why.empty()) {
    out.status = FitStatus::kNotComparable;
    return out;
  }
  const bool same_text = same_windows(first_a, first_b, selection.test_set);
  out.n_low = std::max(a.cells.front().n, b.cells.front().n);
  out.n_high = std::min(a.cells.back().n, b.cells.back().n);
  out.at_equal_n = equal_size_differences(a, b, same_text);
  out.largest = paired_windows(table, a, b, selection);
  for (const ArmLaws* laws : {&a, &b}) {
    if (laws->power.sizes >= kFewestSizesForPowerLaw) continue;
    out.why = "arm " + laws->arm + ": " + laws->power.why;
    return out;
  }
  out.status = FitStatus::kConverged;
  warn_of_ranges(a, b, out);
  warn_of_shared_runs(table, a, b, out);
  warn_of_texts(first_a, first_b, out);
  compare_slopes(a, b, same_text, out);
  out.detectable = detectable_effect(out.standard_error, out.df, 1 - out.level, kPower);
  const double estimate = out.crossing.estimate;
  out.crossing.estimate_measured = estimate >= out.n_low && estimate <= out.n_high;
  out.crossing.set_measured = out.crossing.kind == CrossingSet::Kind::kInterval &&
                              out.crossing.low >= out.n_low && out.crossing.high <= out.n_high;
  bootstrap_difference(a, b, options, out);
  if (a.power.sizes >= kFewestSizesForFloor && b.power.sizes >= kFewestSizesForFloor) {
    out.floor = compare_with_floors(a, b);
  } else {
    out.floor.why = "a floor needs at least " + std::to_string(kFewestSizesForFloor) + " sizes";
  }
  return out;
}

std::vector<Comparison> compare_all(const RunTable& table, const std::vector<ArmLaws>& laws,
                                    const LawOptions& options) {
  int pairs = 0;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    for (std::size_t j = i + 1; j < laws.size(); ++j) {
      const bool slopes = laws[i].power.sizes >= kFewestSizesForPowerLaw &&
                          laws[j].power.sizes >= kFewestSizesForPowerLaw;
      pairs += slopes && different_tests(first_row(table, laws[i]), first_row(table, laws[j]),
                                         options.selection)
                             .empty();
    }
  }
  pairs = std::max(pairs, 1);
  std::vector<Comparison> all;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    for (std::size_t j = i + 1; j < laws.size(); ++j) {
      all.push_back(compare_arms(table, laws[i], laws[j], options, pairs));
    }
  }
  std::vector<Comparison*> order;
  for (Comparison& c : all) {
    if (c.status == FitStatus::kConverged) order.push_back(&c);
  }
  std::sort(order.begin(), order.end(), [](auto* x, auto* y) { return x->p < y->p; });
  double running = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    running = std::max(running, order[k]->p * static_cast<double>(order.size() - k));
    order[k]->p_holm = std::min(running, 1.0);
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    for (std::size_t j = i + 1; j < laws.size(); ++j) {
      put_in_words(all[next++], laws[i], laws[j], options);
    }
  }
  return all;
}

}  // namespace scalelaw
