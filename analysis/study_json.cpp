#include <nlohmann/json.hpp>

#include <cmath>

#include "analysis/comparison_json.h"
#include "analysis/study.h"

namespace scalelaw {
namespace {

using nlohmann::json;

json interval(const Interval& i) {
  return json::array({i.low, i.high});
}

json optional_interval(const std::optional<Interval>& i) {
  return i ? interval(*i) : json();
}

json profile(const ProfileInterval& p) {
  return {{"low", p.low_bounded ? json(p.low) : json()},
          {"high", p.high_bounded ? json(p.high) : json()},
          {"residual_df", p.residual_df},
          {"unconverged", p.unconverged},
          {"identified", p.identified()}};
}

json fit(const Law& law, const FitResult& result, LogCentre centre) {
  json out = {{"status", name(result.status)},
              {"why", result.why},
              {"starts", result.starts},
              {"starts_at_best", result.starts_at_best}};
  if (!has_curve(result.status)) return out;
  out["objective"] = result.objective;
  out["scaled_gradient"] = result.scaled_gradient;
  for (const LawParameter& p : law.published(result.theta, centre)) out[p.symbol] = p.value;
  return out;
}

json power(const PowerLawFit& p) {
  json out = {{"formula", power_law().formula()},
              {"status", name(p.status)},
              {"why", p.why},
              {"sizes", p.sizes},
              {"runs", p.runs},
              {"df", p.df},
              {"interval_df", p.status == FitStatus::kTooFewPoints ? json() : json(p.interval_df)}};
  if (p.status == FitStatus::kTooFewPoints) return out;
  out["slope"] = p.slope;
  out["slope_standard_error"] = p.slope_standard_error;
  out["slope_interval_t_on_cell_means"] = interval(p.slope_interval);
  out["n_c"] = p.status == FitStatus::kConverged ? json(p.n_c) : json();
  out["n_c_interval"] = optional_interval(p.n_c_interval);
  out["residual_sd_ln_loss"] = p.residual_sd;
  out["curvature"] = p.curvature ? json(*p.curvature) : json();
  out["curvature_p"] = p.curvature_p ? json(*p.curvature_p) : json();
  const bool robust = p.robust_status == FitStatus::kConverged;
  out["robust"] = {{"status", name(p.robust_status)},
                   {"slope", robust ? json(p.robust_slope) : json()},
                   {"huber_delta", robust ? json(p.huber_delta) : json()},
                   {"bootstrap_interval", optional_interval(p.bootstrap_interval)},
                   {"bootstrap_clusters", p.bootstrap_by_size ? "sizes" : "runs"},
                   {"replicates", p.bootstrap_replicates},
                   {"stuck", p.bootstrap_stuck},
                   {"degenerate", p.bootstrap_degenerate}};
  return out;
}

json arm_json(const ArmLaws& arm) {
  json out = {{"arm", arm.arm},
              {"n_count", name(arm.n_count)},
              {"left_out", arm.left_out},
              {"power_law", power(arm.power)}};
  json cells = json::array(), slopes = json::array();
  for (const SizeCell& c : arm.cells) {
    cells.push_back({{"n", c.n},
                     {"loss", std::exp(c.mean_ln_loss)},
                     {"seeds", c.seeds()},
                     {"variance_ln_loss", c.variance},
                     {"evaluation_variance_ln_loss", c.evaluation_variance}});
  }
  for (const LocalSlope& s : arm.local_slopes) {
    slopes.push_back({{"n_low", s.n_low},
                      {"n_high", s.n_high},
                      {"slope", s.slope},
                      {"standard_error", s.standard_error ? json(*s.standard_error) : json()}});
  }
  out["sizes"] = cells;
  out["local_slopes"] = slopes;
  const FloorFit& f = arm.floor;
  out["power_law_with_floor"] = {
      {"formula", power_law_with_floor().formula()},
      {"least_squares", fit(power_law_with_floor(), f.least_squares, f.centre)},
      {"huber", fit(power_law_with_floor(), f.huber, f.centre)},
      {"huber_delta", has_curve(f.huber.status) ? json(f.huber_delta) : json()},
      {"e_profile_gaussian", profile(f.floor)},
      {"alpha_over_e_set", optional_interval(f.alpha_over_set)},
      {"bootstrap",
       {{"e_interval", optional_interval(f.bootstrap.e)},
        {"alpha_interval", optional_interval(f.bootstrap.alpha)},
        {"clusters", f.bootstrap.by_size ? "sizes" : "runs"},
        {"replicates", f.bootstrap.replicates},
        {"at_zero_floor", f.bootstrap.at_zero},
        {"stuck", f.bootstrap.stuck},
        {"degenerate", f.bootstrap.degenerate}}}};
  return out;
}

json way_json(const std::string& arm, const MultiverseRow& row) {
  const auto exponent = [](const std::optional<double>& value) {
    return value ? json(*value) : json();
  };
  return {{"arm", arm},
          {"n_count", name(row.n_count)},
          {"sizes", in_words(row.left_out)},
          {"number_of_sizes", row.sizes},
          {"least_squares", exponent(row.least_squares)},
          {"huber", exponent(row.huber)},
          {"absolute", exponent(row.absolute)},
          {"floor_alpha", exponent(row.floor_alpha)}};
}

}  // namespace

std::string study_json(const Study& study) {
  const Selection& s = study.options.selection;
  json out = {
      {"source", study.table.source},
      {"test_set", s.test_set},
      {"metric", name(s.metric)},
      {"train_tokens", s.train_tokens ? json(*s.train_tokens) : json()},
      {"horizon", s.horizon},
      {"level", study.options.level},
      {"seed", study.options.seed},
      {"warnings", study.warnings},
      {"seed_noise", {{"sd_ln_loss", study.noise.seed.sd_ln_loss}, {"df", study.noise.seed.df}}},
      {"size_noise_sd_ln_loss", study.noise.size_sd},
      {"evaluation_noise_known", study.noise.evaluation_known}};
  for (const SweepSource& sweep : study.table.sweeps) {
    out["sweeps"].push_back(
        {{"name", sweep.name}, {"cells", sweep.cells}, {"not_used", sweep.not_used}});
  }
  for (const auto* laws : {&study.laws, &study.other_laws}) {
    for (const ArmLaws& arm : *laws) out["laws"].push_back(arm_json(arm));
  }
  out["comparisons"] = json::array();
  for (const Comparison& c : study.comparisons) out["comparisons"].push_back(comparison_json(c));
  out["comparisons_by_other_count"] = json::array();
  for (const Comparison& c : study.other_comparisons) {
    out["comparisons_by_other_count"].push_back(comparison_json(c));
  }
  out["multiverse"] = json::array();
  for (const Multiverse& m : study.multiverse) {
    for (const MultiverseRow& row : m.rows) out["multiverse"].push_back(way_json(m.arm, row));
  }
  // Names of files need not be UTF-8.
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
