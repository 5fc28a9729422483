#include "analysis/kaplan/chain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "analysis/fitting/distributions.h"

namespace scalelaw {
namespace {

// One number for each ChainNumber, then the bound of each of Chain::stops; NaN where it does not
// stand.
using Numbers = std::vector<double>;

double& at(Numbers& numbers, ChainNumber which) {
  return numbers[static_cast<std::size_t>(which)];
}

struct Pass {
  LowestCurveLaw naive, adjusted;
  SizeAndSteps joint;
  DataLimit limit;
  Numbers numbers;
};

void add_laws_of_compute(Pass& pass) {
  Numbers& out = pass.numbers;
  if (pass.naive.stands()) {
    at(out, ChainNumber::kNaiveLoss) = pass.naive.exponent();
    at(out, ChainNumber::kNaiveScale) = pass.naive.ln_scale();
    at(out, ChainNumber::kNaiveSize) = pass.naive.size.slope;
    at(out, ChainNumber::kNaiveSteps) = pass.naive.steps.slope;
  }
  if (pass.adjusted.stands()) {
    at(out, ChainNumber::kAdjustedLoss) = pass.adjusted.exponent();
    at(out, ChainNumber::kAdjustedScale) = pass.adjusted.ln_scale();
    at(out, ChainNumber::kAdjustedSize) = pass.adjusted.size.slope;
    at(out, ChainNumber::kAdjustedBatch) = pass.adjusted.batch.slope;
    at(out, ChainNumber::kAdjustedSteps) = pass.adjusted.steps.slope;
  }
}

void add_limit(Pass& pass, const DataLaw& data) {
  pass.limit = find_data_limit(pass.adjusted, data);
  if (!pass.limit.stands()) return;
  at(pass.numbers, ChainNumber::kLimitCompute) = std::log(pass.limit.c_min);
  at(pass.numbers, ChainNumber::kLimitSize) = std::log(pass.limit.n);
  at(pass.numbers, ChainNumber::kLimitData) = std::log(pass.limit.d);
  at(pass.numbers, ChainNumber::kLimitLoss) = pass.limit.loss;
}

void add_joint(Pass& pass, const CriticalBatch& critical) {
  const SizeAndSteps& joint = pass.joint;
  Numbers& out = pass.numbers;
  at(out, ChainNumber::kSizeExponent) = joint.a_n;
  at(out, ChainNumber::kStepsExponent) = joint.a_s;
  at(out, ChainNumber::kSizeScale) = std::log(joint.n_c);
  at(out, ChainNumber::kStepsScale) = std::log(joint.s_c);
  at(out, ChainNumber::kAboveConverged) = joint.a_n / joint.a_s;
  const SizeRange cheap = sizes_within(joint.a_n, joint.a_s, kExtraCompute);
  at(out, ChainNumber::kCheapLow) = cheap.low;
  at(out, ChainNumber::kCheapHigh) = cheap.high;
  const EfficientExponents predicted = predicted_exponents(
      joint.a_n, joint.a_s, critical.inverse_exponent(joint.least_loss, joint.most_loss));
  at(out, ChainNumber::kPredictedLoss) = predicted.loss;
  at(out, ChainNumber::kPredictedSize) = predicted.size;
  at(out, ChainNumber::kPredictedBatch) = predicted.batch;
  at(out, ChainNumber::kPredictedSteps) = predicted.steps;
  // NaN where there is no envelope.
  const auto difference = [&](ChainNumber to, ChainNumber a, ChainNumber b) {
    at(out, to) = at(out, a) - at(out, b);
  };
  difference(ChainNumber::kLossDifference, ChainNumber::kPredictedLoss, ChainNumber::kAdjustedLoss);
  difference(ChainNumber::kSizeDifference, ChainNumber::kPredictedSize, ChainNumber::kAdjustedSize);
  difference(ChainNumber::kBatchDifference, ChainNumber::kPredictedBatch,
             ChainNumber::kAdjustedBatch);
  difference(ChainNumber::kStepsDifference, ChainNumber::kPredictedSteps,
             ChainNumber::kAdjustedSteps);
}

// times[i] of curve i. `whole`: of a draw, the pass that it is drawn of; nullptr: that one itself.
Pass pass_of(const Chain& chain, std::span<const double> times, const ChainOptions& options,
             const SizeAndSteps* whole) {
  Pass pass;
  pass.numbers.assign(kChainNumbers + chain.stops.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<const AdjustedCurve*> drawn, of_batch;
  for (std::size_t i = 0; i < chain.curves.size(); ++i) {
    if (!(times[i] > 0)) continue;
    drawn.push_back(&chain.curves[i]);
    if (chain.curves[i].batch == chain.naive_batch) of_batch.push_back(&chain.curves[i]);
  }
  pass.naive = lowest_curve_law(of_batch, BudgetKind::kSpent, nullptr, options.budgets);
  if (chain.critical) {
    pass.adjusted = lowest_curve_law(drawn, BudgetKind::kLeast, &*chain.critical, options.budgets);
    // Draws of runs that have no fit all together would be searched through for nothing.
    if (whole == nullptr) pass.joint = fit_size_and_steps(chain.curves, times, {});
    if (whole != nullptr && whole->stands()) {
      pass.joint = fit_size_and_steps(chain.curves, times, whole->fit.found.u);
    }
  }
  add_laws_of_compute(pass);
  if (pass.adjusted.stands() && options.data_law) add_limit(pass, *options.data_law);
  if (!pass.joint.stands()) return pass;
  add_joint(pass, *chain.critical);
  for (std::size_t i = 0; i < chain.stops.size(); ++i) {
    const EarlyStop& stop = chain.stops[i];
    pass.numbers[kChainNumbers + i] = early_stop_bound(stop.n, stop.loss, pass.joint);
  }
  return pass;
}

double batch_of_most_sizes(const std::vector<AdjustedCurve>& curves) {
  std::map<double, std::set<double>> sizes;
  for (const AdjustedCurve& curve : curves) sizes[curve.batch].insert(curve.n);
  double best = 0;
  for (const auto& [batch, of] : sizes) {
    if (best == 0 || of.size() > sizes[best].size()) best = batch;
  }
  return best;
}

// The critical batch must hold over the losses of the curves, or there is none.
void check_critical(Chain& chain) {
  if (!chain.critical) return;
  double low = HUGE_VAL, high = 0;
  for (const SmoothCurve& curve : chain.smooth) {
    for (const double loss : curve.loss) {
      low = std::min(low, loss);
      high = std::max(high, loss);
    }
  }
  if (high == 0 || chain.critical->holds_over(low, high)) return;
  chain.no_critical = "B_crit = " + chain.critical->formula() +
                      " is not a batch that falls with L over the losses of these curves";
  chain.critical.reset();
}

int distinct_sizes(const std::vector<AdjustedCurve>& curves) {
  std::set<double> sizes;
  for (const AdjustedCurve& curve : curves) sizes.insert(curve.n);
  return static_cast<int>(sizes.size());
}

// What cannot be below 0 has its interval on the scale of its logarithm: a share a_N/a_S of -.9, as
// few draws far above would make, is none.
bool always_positive(ChainNumber which) {
  switch (which) {
    case ChainNumber::kSizeExponent:
    case ChainNumber::kStepsExponent:
    case ChainNumber::kPredictedLoss:
    case ChainNumber::kPredictedSize:
    case ChainNumber::kPredictedBatch:
    case ChainNumber::kPredictedSteps:
    case ChainNumber::kAboveConverged:
    case ChainNumber::kCheapLow:
    case ChainNumber::kCheapHigh:
    case ChainNumber::kLimitLoss:
      return true;
    default:
      return false;
  }
}

// Half widths by the deviation of those replicates that give the number; none below 100 of them, or
// where fewer than half do.
std::optional<Interval> interval_of(const BootstrapResult& drawn, std::size_t which, double value,
                                    double t) {
  const bool in_ln = which >= kChainNumbers || always_positive(static_cast<ChainNumber>(which));
  std::vector<double> values;
  for (const Numbers& numbers : drawn.fitted) {
    const double drawn_value = numbers[which];
    if (std::isfinite(drawn_value)) values.push_back(in_ln ? std::log(drawn_value) : drawn_value);
  }
  constexpr std::size_t kFewest = 100;
  if (values.size() < kFewest || 2 * values.size() < drawn.fitted.size()) return {};
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  const double half = t * std::sqrt(squares / (n - 1));
  if (in_ln) return Interval{value * std::exp(-half), value * std::exp(half)};
  return Interval{value - half, value + half};
}

void draw(Chain& chain, const Pass& whole, const ChainOptions& options) {
  constexpr std::size_t kFewestRuns = 5;
  const std::size_t runs = chain.curves.size();
  std::vector<std::optional<Interval>> intervals(whole.numbers.size());
  if (runs >= kFewestRuns && options.bootstrap.replicates > 0) {
    std::vector<int> cluster(runs);
    std::iota(cluster.begin(), cluster.end(), 0);
    const BootstrapResult drawn = bootstrap(
        cluster, static_cast<int>(runs), options.bootstrap, [&](std::span<const double> times) {
          Pass pass = pass_of(chain, times, options, &chain.joint);
          return Replicate{Replicate::Outcome::kFitted, std::move(pass.numbers)};
        });
    chain.replicates = drawn.replicates;
    const double df = std::max(distinct_sizes(chain.curves) - 2, 1);
    const double t = student_t_quantile(.5 + .5 * options.level, df);
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      intervals[i] = interval_of(drawn, i, whole.numbers[i], t);
    }
    for (const Numbers& numbers : drawn.fitted) {
      chain.without +=
          !std::isfinite(numbers[static_cast<std::size_t>(ChainNumber::kSizeExponent)]);
    }
  }
  for (std::size_t i = 0; i < kChainNumbers; ++i) {
    if (!std::isfinite(whole.numbers[i])) continue;
    chain.numbers[static_cast<ChainNumber>(i)] = {whole.numbers[i], intervals[i]};
  }
  for (std::size_t i = 0; i < chain.stops.size(); ++i) {
    chain.stops[i].bound = whole.numbers[kChainNumbers + i];
    if (std::isfinite(chain.stops[i].bound)) {
      chain.stops[i].bound_interval = intervals[kChainNumbers + i];
    }
  }
}

}  // namespace

const ChainEstimate* Chain::find(ChainNumber number) const {
  const auto found = numbers.find(number);
  return found == numbers.end() ? nullptr : &found->second;
}

Chain find_chain(const CurveData& data, std::optional<CriticalBatch> critical,
                 const ChainOptions& options) {
  Chain chain;
  chain.critical = std::move(critical);
  if (!chain.critical) chain.no_critical = "no law of B_crit was given (--b-crit)";
  std::vector<SmoothCurve> repeated;
  for (std::size_t run = 0; run < data.curves.size(); ++run) {
    const TrainingCurve& curve = data.curves[run];
    if (curve.repeats()) {
      SmoothCurve smoothed = smooth(curve, run, options.smoothing);
      if (!smoothed.step.empty()) repeated.push_back(std::move(smoothed));
      chain.left_out.push_back(
          {curve.name, "its text was read more than once, and L(N, S_min) knows no D"});
      continue;
    }
    SmoothCurve smoothed = smooth(curve, run, options.smoothing);
    if (!smoothed.why.empty()) chain.left_out.push_back({curve.name, smoothed.why});
    chain.smooth.push_back(std::move(smoothed));
  }
  check_critical(chain);
  const CriticalBatch* law = chain.critical ? &*chain.critical : nullptr;
  for (const SmoothCurve& curve : chain.smooth) {
    if (!curve.step.empty()) chain.curves.push_back(adjust(curve, law));
  }
  for (const SmoothCurve& curve : repeated) {
    chain.stops.push_back(early_stop(data.curves[curve.run], curve, law));
  }
  chain.naive_batch = batch_of_most_sizes(chain.curves);
  const std::vector<double> once(chain.curves.size(), 1);
  const Pass whole = pass_of(chain, once, options, nullptr);
  chain.naive = whole.naive;
  chain.adjusted = whole.adjusted;
  chain.joint = whole.joint;
  chain.limit = whole.limit;
  if (chain.critical && chain.joint.stands()) {
    chain.inverse_a_b =
        chain.critical->inverse_exponent(chain.joint.least_loss, chain.joint.most_loss);
  }
  draw(chain, whole, options);
  return chain;
}

}  // namespace scalelaw
