#include <cmath>
#include <nlohmann/json.hpp>

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

}  // namespace

std::string name(ChainNumber which) {
  static constexpr const char* kNames[] = {"naive_loss_exponent",
                                           "naive_ln_c_c_flops",
                                           "naive_size_exponent",
                                           "naive_steps_exponent",
                                           "adjusted_loss_exponent",
                                           "adjusted_ln_c_c_flops",
                                           "adjusted_size_exponent",
                                           "adjusted_batch_exponent",
                                           "adjusted_steps_exponent",
                                           "a_n",
                                           "a_s",
                                           "ln_n_c",
                                           "ln_s_c",
                                           "predicted_loss_exponent",
                                           "predicted_size_exponent",
                                           "predicted_batch_exponent",
                                           "predicted_steps_exponent",
                                           "loss_exponent_difference",
                                           "size_exponent_difference",
                                           "batch_exponent_difference",
                                           "steps_exponent_difference",
                                           "above_converged",
                                           "cheap_size_low",
                                           "cheap_size_high"};
  static_assert(std::size(kNames) == kChainNumbers);
  return kNames[static_cast<std::size_t>(which)];
}

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
      {"left_out", list_of(left)},
      {"notes", data.notes},
      {"warnings", data.warnings}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
