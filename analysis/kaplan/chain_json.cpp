#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/kaplan/chain_numbers.h"
#include "analysis/kaplan/chain_text.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json law_json(const LowestCurveLaw& law) {
  Json json = {
      {"status", name(law.status)}, {"why", law.why}, {"runs", law.runs}, {"sizes", law.sizes}};
  if (law.stands()) json["flops"] = {law.least_c, law.most_c};
  return json;
}

Json list_of(const std::vector<LeftOut>& some) {
  Json list = Json::array();
  for (const LeftOut& each : some) list.push_back({{"what", each.what}, {"why", each.why}});
  return list;
}

Json stops_json(const std::vector<EarlyStop>& stops) {
  Json list = Json::array();
  for (const EarlyStop& stop : stops) {
    Json& one = list.emplace_back(Json{{"run", stop.name},
                                       {"n", stop.n},
                                       {"unique_tokens", stop.unique},
                                       {"least_loss", stop.loss},
                                       {"s_min", stop.s_min},
                                       {"rose", stop.rose},
                                       {"bound", number(stop.bound)},
                                       {"interval", nullptr}});
    if (stop.bound_interval) {
      one["interval"] = {stop.bound_interval->low, stop.bound_interval->high};
    }
  }
  return list;
}

}  // namespace

std::string to_json(const CurveData& data, const Chain& chain, const ChainOptions& options) {
  Json numbers = Json::object(), costs = Json::array();
  for (const auto& [which, estimate] : chain.numbers) {
    Json& one = numbers[name(which)] = {{"value", estimate.value}, {"interval", nullptr}};
    if (estimate.interval) one["interval"] = {estimate.interval->low, estimate.interval->high};
  }
  for (const double k : {.25, .5, .6, 1., 2., 2.2, 4., 8.}) {
    if (!chain.joint.stands()) break;
    const WrongSizeCost cost = wrong_size_cost(chain.joint.a_n, chain.joint.a_s, k);
    costs.push_back(
        {{"size", k}, {"compute", number(cost.compute)}, {"steps", number(cost.steps)}});
  }
  std::vector<LeftOut> left = data.left_out;
  left.insert(left.end(), chain.left_out.begin(), chain.left_out.end());
  const Json json = {
      {"source", data.source},
      {"n", data.n_words},
      {"batch", data.batch_words},
      {"loss", data.loss_words},
      {"compute", "6 N B S, FLOPs"},
      {"critical_batch", chain.critical ? Json(chain.critical->formula()) : Json()},
      {"critical_batch_of", chain.critical ? chain.critical->words() : chain.no_critical},
      {"curves", chain.curves.size()},
      {"naive_batch_tokens", chain.naive_batch},
      {"naive", law_json(chain.naive)},
      {"adjusted", law_json(chain.adjusted)},
      {"size_and_steps",
       {{"status", name(chain.joint.fit.status)},
        {"why", chain.joint.fit.why},
        {"runs", chain.joint.runs},
        {"sizes", chain.joint.sizes},
        {"residual_sd_ln_loss", chain.joint.residual_sd}}},
      {"level", options.level},
      {"replicates", chain.replicates},
      {"numbers", numbers},
      {"wrong_size", costs},
      {"early_stopping", stops_json(chain.stops)},
      {"data_law", options.data_law ? Json(options.data_law->formula.text()) : Json()},
      {"no_data_limit", chain.limit.why},
      {"left_out", list_of(left)},
      {"notes", data.notes},
      {"warnings", data.warnings}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
