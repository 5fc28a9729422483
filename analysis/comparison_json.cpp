#include "analysis/comparison_json.h"

#include <cmath>

namespace scalelaw {
namespace {

using nlohmann::json;

json interval(const Interval& i) {
  return json::array({i.low, i.high});
}

json optional_interval(const std::optional<Interval>& i) {
  return i ? interval(*i) : json();
}

json optional(const std::optional<double>& value) {
  return value ? json(*value) : json();
}

std::string_view name(CrossingSet::Kind kind) {
  switch (kind) {
    case CrossingSet::Kind::kNone:
      return "none";
    case CrossingSet::Kind::kInterval:
      return "interval";
    case CrossingSet::Kind::kLeftRay:
      return "left_ray";
    case CrossingSet::Kind::kRightRay:
      return "right_ray";
    case CrossingSet::Kind::kTwoRays:
      return "two_rays";
    case CrossingSet::Kind::kEverywhere:
      return "everywhere";
  }
  return "";
}

json curved(const CurvedSlopes& c) {
  json out = {{"status", name(c.status)}, {"why", c.why}};
  if (c.status != FitStatus::kConverged) return out;
  const auto at = [](const CurvedSlopes::At& there) {
    return json{{"n", there.n},
                {"slope_difference", there.difference},
                {"standard_error", there.standard_error},
                {"df", there.df},
                {"interval", interval(there.interval)}};
  };
  out["at_centre"] = at(c.centre);
  out["at_low_end"] = at(c.low);
  out["at_high_end"] = at(c.high);
  out["p"] = c.p;
  out["p_holm"] = c.p_holm;
  return out;
}

json floors(const FloorComparison& c) {
  json out = {{"status", name(c.status)}, {"why", c.why}};
  if (c.status != FitStatus::kConverged) return out;
  out["alpha_a"] = c.alpha_a;
  out["alpha_b"] = c.alpha_b;
  out["shared_alpha"] = c.shared_alpha;
  out["f"] = c.f;
  out["df"] = c.df;
  out["p"] = c.p;
  out["p_holm"] = c.p_holm;
  return out;
}

std::string_view name(GainSet::Kind kind) {
  switch (kind) {
    case GainSet::Kind::kUndetermined:
      return "undetermined";
    case GainSet::Kind::kInterval:
      return "interval";
    case GainSet::Kind::kAtLeast:
      return "at_least";
    case GainSet::Kind::kAtMost:
      return "at_most";
  }
  return "";
}

json gain_set(const GainSet& set) {
  using Kind = GainSet::Kind;
  const bool low = set.kind == Kind::kInterval || set.kind == Kind::kAtLeast;
  const bool high = set.kind == Kind::kInterval || set.kind == Kind::kAtMost;
  return {{"kind", name(set.kind)},
          {"gain", optional(set.estimate)},
          {"low", low ? json(set.low) : json()},
          {"high", high ? json(set.high) : json()},
          {"gain_measured", set.estimate_measured},
          {"set_measured", set.set_measured}};
}

json gains(const EquivalentGains& g) {
  json out = {{"status", name(g.status)}, {"why", g.why}};
  if (g.status != FitStatus::kConverged) return out;
  out["range_of_both"] = {g.shared_low, g.shared_high};
  out["bend_p_a"] = optional(g.bend_p_a);
  out["bend_p_b"] = optional(g.bend_p_b);
  out["gains"] = json::array();
  for (const EquivalentGain& gain : g.gains) {
    out["gains"].push_back({{"at", gain.at},
                            {"at_measured", gain.at_measured},
                            {"loss", std::exp(gain.ln_loss)},
                            {"straight_lines", gain_set(gain.lines)},
                            {"parabolas", gain.parabolas ? gain_set(*gain.parabolas) : json()}});
  }
  return out;
}

// What needs no lines.
void add_losses(const Comparison& c, json& out) {
  json equal = json::array();
  for (const EqualSizeDifference& d : c.at_equal_n) {
    equal.push_back({{"n", d.n},
                     {"ln_loss_difference", d.ln_loss_difference},
                     {"standard_error", optional(d.standard_error)},
                     {"df", d.standard_error ? json(d.df) : json()},
                     {"test_text_counted", d.text_counted},
                     {"interpolated", d.interpolated}});
  }
  out["at_equal_n"] = equal;
  if (c.largest) {
    out["largest_paired"] = {{"folder_a", c.largest->folder_a},
                             {"folder_b", c.largest->folder_b},
                             {"loss_difference_nats", c.largest->loss_difference_nats},
                             {"standard_error_nats", c.largest->standard_error_nats},
                             {"windows", c.largest->windows}};
  }
}

}  // namespace

nlohmann::json comparison_json(const Comparison& c) {
  json left_out = json::array();
  for (const LeftOutSize& size : c.left_out) left_out.push_back({{"arm", size.arm}, {"n", size.n}});
  json out = {{"arm_a", c.arm_a},     {"arm_b", c.arm_b},           {"status", name(c.status)},
              {"why", c.why},         {"n_count", name(c.n_count)}, {"verdict", c.verdict},
              {"remarks", c.remarks}, {"sizes_left_out", left_out}};
  add_losses(c, out);
  if (c.status != FitStatus::kConverged) return out;
  out["sizes_a"] = c.sizes_a;
  out["sizes_b"] = c.sizes_b;
  out["n_range_used"] = {c.n_low, c.n_high};
  out["n_range_of_both"] = {c.shared_low, c.shared_high};
  out["slope_a"] = c.slope_a;
  out["slope_b"] = c.slope_b;
  out["slope_interval_a"] = interval(c.slope_interval_a);
  out["slope_interval_b"] = interval(c.slope_interval_b);
  out["slope_difference"] = c.difference;
  out["standard_error"] = c.standard_error;
  out["standard_error_of_test_text"] = optional(c.text_standard_error);
  out["pairs"] = c.pairs;
  out["level"] = c.level;
  out["interval"] = interval(c.interval);
  out["df"] = c.df;
  out["f"] = c.f;
  out["p"] = c.p;
  out["p_holm"] = c.p_holm;
  out["detectable_at_80_percent"] = c.detectable;
  out["detectable_in_half"] = c.detectable_in_half;
  out["equivalence_margin"] = c.equivalence_margin;
  out["equivalence"] = c.equivalence ? json{{"within", c.equivalence->within},
                                            {"p", c.equivalence->p},
                                            {"p_holm", c.equivalence->p_holm},
                                            {"least_margin", c.equivalence->least_margin}}
                                     : json();
  out["bootstrap_interval_runs"] = optional_interval(c.bootstrap_interval);
  out["bootstrap_replicates"] = c.bootstrap_replicates;
  out["bootstrap_stuck"] = c.bootstrap_stuck;
  out["bootstrap_degenerate"] = c.bootstrap_degenerate;
  using Kind = CrossingSet::Kind;
  const Kind kind = c.crossing.kind;
  const bool both = kind == Kind::kInterval || kind == Kind::kTwoRays;
  out["crossing"] = {{"kind", name(kind)},
                     {"n", c.crossing.estimate},
                     {"low", both || kind == Kind::kRightRay ? json(c.crossing.low) : json()},
                     {"high", both || kind == Kind::kLeftRay ? json(c.crossing.high) : json()},
                     {"set_measured", c.crossing.set_measured}};
  out["free_floors"] = floors(c.floor);
  out["parabolas"] = curved(c.curved);
  out["compute_equivalent_gains"] = gains(c.compute_gains);
  out["size_equivalent_gains"] = gains(c.size_gains);
  return out;
}

}  // namespace scalelaw
