#include "analysis/equivalent_gain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "analysis/block_error.h"
#include "analysis/crossing.h"
#include "analysis/curved_slopes.h"
#include "analysis/fitting/distributions.h"

namespace scalelaw {
namespace {

// In ln of the scale: a rounded end is an end.
constexpr double kReach = 0.01;

// A curve's value at one x: linear in the cells, so that its variance is known.
struct ValueAt {
  double value = 0;
  VariancePart scatter;  // the residuals'
  double counted = 0;    // the text's variance that residuals show anyway
  WindowSeries windows;
};

ValueAt parabola_at(const ArmLaws& arm, double x) {
  const std::vector<LinePoint> points = line_points(arm.cells);
  const std::vector<double> coefficients = parabola_value_coefficients(points, x);
  ValueAt out;
  out.scatter.df = static_cast<double>(points.size()) - 3;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double square = coefficients[i] * coefficients[i];
    out.value += coefficients[i] * points[i].y;
    out.scatter.variance += square / points[i].weight;
    out.counted += square * arm.cells[i].evaluation_variance;
  }
  out.scatter.variance *= fit_curvature(points).weighted_rss / out.scatter.df;
  out.windows = combined(arm.windows, coefficients);
  return out;
}

// Of a minus b; |t| at most 1: the level does not reject that they are equal.
struct Difference {
  double value = 0, t = 0;
};

Difference difference_of(const ValueAt& a, const ValueAt& b, bool paired, double level) {
  const auto whole = variance_of_difference(a.windows, b.windows, paired);
  const double text = whole ? std::max(*whole - a.counted - b.counted, 0.0) : 0;
  const double df =
      satterthwaite_df(std::array{a.scatter, b.scatter, VariancePart{text, kBlockDf}});
  const double reach = student_t_quantile(0.5 + 0.5 * level, df) *
                       std::sqrt(a.scatter.variance + b.scatter.variance + text);
  const double value = a.value - b.value;
  return {value, reach > 0 ? value / reach : value == 0 ? 0 : std::copysign(HUGE_VAL, value)};
}

// Where an increasing or decreasing function changes sign between two x.
template <class F>
double root_between(double low, double high, const F& f) {
  const bool rises = f(low) < 0;
  for (int i = 0; i < 40; ++i) {
    const double middle = 0.5 * (low + high);
    ((f(middle) < 0) == rises ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

// The hull of what is not rejected between a's smallest and largest run.
GainSet parabola_gain(const ArmLaws& a, const ArmLaws& b, bool paired, double at, double level) {
  constexpr int kSteps = 60;
  const double first = std::log(a.cells.front().n), last = std::log(a.cells.back().n);
  const ValueAt target = parabola_at(b, at);
  const auto there = [&](double x) {
    return difference_of(parabola_at(a, x), target, paired, level);
  };
  const auto above = [&](double x) { return there(x).value; };
  std::vector<double> x;
  std::vector<Difference> d;
  for (int i = 0; i <= kSteps; ++i) {
    x.push_back(first + (last - first) * i / kSteps);
    d.push_back(there(x.back()));
  }
  GainSet set;
  for (int i = 0; i < kSteps && !set.estimate; ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (d[k].value >= 0 && d[k + 1].value < 0) {
      set.estimate = std::exp(at - root_between(x[k], x[k + 1], above));
    }
  }
  set.estimate_measured = set.estimate.has_value();
  const auto open = [](const Difference& one) { return std::abs(one.t) <= 1; };
  const auto from = std::find_if(d.begin(), d.end(), open);
  if (from == d.end() && !set.estimate) {  // all of it is too high, or too low
    const bool never = d.back().value > 0;
    set.kind = never ? GainSet::Kind::kAtMost : GainSet::Kind::kAtLeast;
    set.low = std::exp(at - first);
    set.high = std::exp(at - last);
    return set;
  }
  const auto edge = [&](std::size_t in, std::size_t out) {  // of the set, between neighbours
    return root_between(x[in], x[out], [&](double z) { return std::abs(there(z).t) - 1; });
  };
  double low = 0, high = 0;  // of ln s'
  bool at_first = false, at_last = false;
  if (from == d.end()) {  // narrower than a step
    low = high = at - std::log(*set.estimate);
  } else {
    const auto begin = static_cast<std::size_t>(from - d.begin());
    const auto end =
        static_cast<std::size_t>(d.rend() - std::find_if(d.rbegin(), d.rend(), open)) - 1;
    at_first = begin == 0;
    at_last = end + 1 == d.size();
    low = at_first ? x.front() : edge(begin, begin - 1);
    high = at_last ? x.back() : edge(end, end + 1);
  }
  set.low = std::exp(at - high);
  set.high = std::exp(at - low);
  set.set_measured = !at_first && !at_last;
  set.kind = at_first && at_last ? GainSet::Kind::kUndetermined
             : at_first          ? GainSet::Kind::kAtLeast
             : at_last           ? GainSet::Kind::kAtMost
                                 : GainSet::Kind::kInterval;
  return set;
}

// As if b's line were a level known with its own variance, which a's line crosses.
CrossingSet line_crossing(const ArmLaws& a, const ArmLaws& b, bool paired, double at,
                          double level) {
  const WeightedLine &line_a = a.power.line, &line_b = b.power.line;
  const double scale_a = line_a.weighted_rss / a.power.df;
  const double scale_b = line_b.weighted_rss / b.power.df;
  const auto variance = [](const WeightedLine& line, double scale, double x) {
    return scale * (1 / line.sum_weight + std::pow(x - line.centre_x, 2) / line.sum_xx);
  };
  LineSeries of_b = line_series(b.windows, b.cells, at);
  std::fill(of_b.slope.begin(), of_b.slope.end(), 0.0);
  of_b.counted.slope = of_b.counted.covariance = 0;
  const TextVariance text =
      text_variance_of_difference(line_series(a.windows, a.cells, line_a.centre_x), of_b, paired)
          .value_or(TextVariance{});
  const double above = line_a.centre_y - line_b.at(at), reached = above / a.power.slope;
  const std::array parts = {
      VariancePart{variance(line_a, scale_a, line_a.centre_x + reached),
                   static_cast<double>(a.power.df)},
      VariancePart{variance(line_b, scale_b, at), static_cast<double>(b.power.df)},
      VariancePart{
          std::max(text.level + reached * reached * text.slope - 2 * reached * text.covariance,
                   0.0),
          kBlockDf}};
  return crossing_set({.slope_difference = a.power.slope,
                       .ln_loss_difference = above,
                       .at_ln_n = line_a.centre_x,
                       .level_variance_a = scale_a / line_a.sum_weight,
                       .level_variance_b = parts[1].variance,
                       .slope_variance_a = scale_a / line_a.sum_xx,
                       .centre_ln_n_b = line_a.centre_x,
                       .text_level_variance = text.level,
                       .text_slope_variance = text.slope,
                       .text_covariance = text.covariance,
                       .t = student_t_quantile(0.5 + 0.5 * level, satterthwaite_df(parts))});
}

GainSet line_gain(const ArmLaws& a, const ArmLaws& b, bool paired, double at, double level) {
  GainSet set;
  if (!(a.power.slope > 0)) return set;
  const CrossingSet scales = line_crossing(a, b, paired, at, level);
  const double first = a.cells.front().n * std::exp(-kReach);
  const double last = a.cells.back().n * std::exp(kReach);
  set.estimate = std::exp(at) / scales.estimate;
  set.estimate_measured = scales.estimate >= first && scales.estimate <= last;
  set.low = std::exp(at) / scales.high;
  set.high = std::exp(at) / scales.low;
  switch (scales.kind) {
    case CrossingSet::Kind::kInterval:
      set.kind = GainSet::Kind::kInterval;
      set.set_measured = scales.low >= first && scales.high <= last;
      break;
    case CrossingSet::Kind::kLeftRay:
      set.kind = GainSet::Kind::kAtLeast;
      break;
    case CrossingSet::Kind::kRightRay:
      set.kind = GainSet::Kind::kAtMost;
      break;
    case CrossingSet::Kind::kNone:
    case CrossingSet::Kind::kTwoRays:
    case CrossingSet::Kind::kEverywhere:
      break;
  }
  return set;
}

// The cells of a range and their next neighbours on either side, so that its ends lie between runs.
ArmLaws about(const ArmLaws& arm, double low, double high, double level) {
  const auto first = std::find_if(arm.cells.rbegin(), arm.cells.rend(),
                                  [&](const SizeCell& cell) { return cell.n <= low; });
  const auto last = std::find_if(arm.cells.begin(), arm.cells.end(),
                                 [&](const SizeCell& cell) { return cell.n >= high; });
  const auto begin = first == arm.cells.rend() ? 0 : arm.cells.rend() - first - 1;
  const auto end = last == arm.cells.end() ? std::ssize(arm.cells) : last - arm.cells.begin() + 1;
  ArmLaws out;
  out.arm = arm.arm;
  out.n_count = arm.n_count;
  out.noise = arm.noise;
  out.cells.assign(arm.cells.begin() + begin, arm.cells.begin() + end);
  if (!arm.windows.empty()) {
    out.windows.assign(arm.windows.begin() + begin, arm.windows.begin() + end);
  }
  out.power = fit_line_of(out.cells, out.windows, level);
  return out;
}

}  // namespace

ArmLaws by_compute(const RunTable& table, const ArmLaws& arm) {
  std::vector<double> flops;
  for (const SizeCell& cell : arm.cells) {
    flops.push_back(table.rows[cell.rows.front()].training_flops());
  }
  std::vector<std::size_t> order(flops.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return flops[i] < flops[j]; });
  ArmLaws out;
  out.arm = arm.arm;
  out.n_count = arm.n_count;
  out.noise = arm.noise;
  for (const std::size_t i : order) {
    out.cells.push_back(arm.cells[i]);
    out.cells.back().n = flops[i];
    if (!arm.windows.empty()) out.windows.push_back(arm.windows[i]);
  }
  return out;
}

EquivalentGains equivalent_gains(const ArmLaws& a_all, const ArmLaws& b_all, bool paired,
                                 const std::vector<double>& at, double level) {
  EquivalentGains out;
  out.shared_low = std::max(a_all.cells.front().n, b_all.cells.front().n);
  out.shared_high = std::min(a_all.cells.back().n, b_all.cells.back().n);
  if (!(out.shared_low > 0)) {
    out.why = "it is not known of every run";
    return out;
  }
  if (!(out.shared_low < out.shared_high)) {
    out.why = "the arms' runs have no range of it in common";
    return out;
  }
  const ArmLaws a = about(a_all, out.shared_low, out.shared_high, level);
  const ArmLaws b = about(b_all, out.shared_low, out.shared_high, level);
  if (std::min(a.power.sizes, b.power.sizes) < kFewestSizesForPowerLaw) {
    out.why = "too few runs of an arm lie about the range of it that both cover";
    return out;
  }
  out.status = FitStatus::kConverged;
  out.bend_p_a = a.power.curvature_p;
  out.bend_p_b = b.power.curvature_p;
  const bool curved = std::min(a.power.sizes, b.power.sizes) >= kFewestSizesForCurve;
  const double first = std::log(b.cells.front().n), last = std::log(b.cells.back().n);
  for (const double scale :
       at.empty() ? std::vector{out.shared_low, std::sqrt(out.shared_low * out.shared_high),
                                out.shared_high}
                  : at) {
    const double x = std::log(scale);
    EquivalentGain gain;
    gain.at = scale;
    gain.at_measured = x >= first - kReach && x <= last + kReach;
    gain.ln_loss = b.power.line.at(x);
    gain.lines = line_gain(a, b, paired, x, level);
    if (curved && gain.at_measured) {
      gain.parabolas = parabola_gain(a, b, paired, x, level);
    }
    out.gains.push_back(gain);
  }
  return out;
}

}  // namespace scalelaw
