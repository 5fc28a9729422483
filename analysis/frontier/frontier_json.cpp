#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/frontier/frontier_text.h"
#include "analysis/frontier/measured_frontier_coverage.h"
#include "analysis/published/published_laws.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<Interval>& interval) {
  return interval ? Json{interval->low, interval->high} : Json();
}

Json json_of(const Estimate& e) {
  return {{"value", e.value},
          {"interval", json_of(e.interval)},
          {"bootstrap_interval", json_of(e.bootstrap)}};
}

Json or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

Json json_of(const Approach& a) {
  Json json = {{"approach", name(a.kind)},
               {"status", name(a.status)},
               {"why", a.why},
               {"runs", a.runs},
               {"budgets", a.budgets}};
  if (!a.stands()) return json;
  json["exponent"] = json_of(a.exponent);
  json["d_exponent"] = a.d_exponent;
  json["coefficient"] = a.coefficient;
  json["exponent_spread"] = or_null(a.spread);
  json["bias"] = or_null(a.bias);
  json["ln_n_bias"] = or_null(a.level_bias);
  json["c_range"] = {a.least_budget, a.most_budget};
  json["remarks"] = a.remarks;
  json["measured_coverage"] = measured_coverage(a.kind);
  Json at = Json::array();
  for (const BudgetEstimate& b : a.at) {
    at.push_back({{"c", b.budget},
                  {"beyond", b.beyond},
                  {"n", json_of(b.n)},
                  {"d", json_of(b.d)},
                  {"loss", b.loss_known ? json_of(b.loss) : Json()}});
  }
  json["at"] = std::move(at);
  return json;
}

Json json_of(const IsoFlopMinimum& m) {
  return {{"status", name(m.status)},
          {"n", std::exp(m.ln_n)},
          {"loss", m.loss},
          {"ln_n_standard_error", m.ln_n_error},
          {"ln_loss_standard_error", m.ln_loss_error}};
}

Json surface_json(const SurfaceFrontier& s) {
  Json constants = Json::object();
  for (const LawParameter& p : chinchilla_law().published(s.fit.theta, s.data.centre)) {
    constants[p.symbol] = p.value;
  }
  return {{"approach", name(s.approach.kind)},
          {"constants", constants},
          {"objective", s.fit.objective},
          {"scaled_gradient", s.fit.scaled_gradient},
          {"starts", s.fit.starts},
          {"starts_at_best", s.fit.starts_at_best},
          {"stuck", s.stuck},
          {"degenerate", s.degenerate}};
}

}  // namespace

std::string to_json(const Frontier& f) {
  Json json = {{"source", f.data.source},   {"n", f.data.n_words},
               {"d", f.data.d_words},       {"c", f.data.c_words},
               {"loss", f.data.loss_words}, {"points", f.data.points.size()},
               {"runs", f.data.runs()},     {"curves", f.data.curves.size()},
               {"level", f.options.level},  {"huber_delta", f.options.huber_delta}};
  json["compute"] = {
      {"k", std::exp(f.compute.ln_k)}, {"n_exponent", 1 + f.compute.s}, {"worst", f.compute.worst}};
  json["approaches"] = Json::array();
  for (const Approach& a : f.approaches) json["approaches"].push_back(json_of(a));
  json["surfaces"] = Json::array();
  for (const SurfaceFrontier& s : f.surfaces) {
    if (s.approach.stands()) json["surfaces"].push_back(surface_json(s));
  }
  json["noise_ln_loss"] = f.isoflop.noise;
  json["isoflop"] = Json::array();
  for (const IsoFlop& b : f.isoflop.budgets) {
    json["isoflop"].push_back({{"c", b.budget},
                               {"runs", b.points.size()},
                               {"sizes", b.ln_n.size()},
                               {"parabola", json_of(b.parabola)},
                               {"akima", json_of(b.akima)}});
  }
  json["published"] = Json::array();
  for (const PublishedFrontier& p : published_frontiers()) {
    json["published"].push_back({{"name", p.name},
                                 {"source", p.source},
                                 {"exponent", p.exponent},
                                 {"interval", json_of(p.interval)},
                                 {"interval_level", p.interval_level}});
  }
  json["left_out"] = Json::array();
  for (const LeftOut& l : f.data.left_out) {
    json["left_out"].push_back({{"what", l.what}, {"why", l.why}});
  }
  json["warnings"] = f.warnings;
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
