#include "sweeps/store/run_list.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "sweeps/plan/reports.h"
#include "sweeps/status/text_table.h"
#include "trainer/config_keys.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

std::string number_text(const RunFacts& facts, const std::string& key) {
  const double value = number_fact(facts, key);
  return std::isnan(value) ? "-" : human(value);
}

std::string loss_of(const RunFacts& facts) {
  const double loss = number_fact(facts, "loss");
  return std::isnan(loss) ? "-" : loss_text(loss);
}

std::string wall_of(const RunFacts& facts) {
  const double seconds = number_fact(facts, "wall_seconds");
  return std::isnan(seconds) ? "-" : duration_text(seconds);
}

std::string sweeps_of(const RunFacts& facts) {
  const Fact* fact = fact_of(facts, "sweeps");
  const auto* names = fact == nullptr ? nullptr : std::get_if<std::vector<std::string>>(fact);
  std::string text;
  if (names != nullptr) {
    for (const std::string& name : *names) text += (text.empty() ? "" : " ") + name;
  }
  return text.empty() ? "-" : text;
}

bool is_config_key(const std::string& key) {
  static const std::map<std::string, bool> kKeys = [] {
    std::map<std::string, bool> keys;
    for (const KeyAccess& access : key_table()) keys[access.key.name] = true;
    return keys;
  }();
  return kKeys.contains(key) || key.starts_with(kTestPrefix);
}

}  // namespace

void sort_runs(std::vector<StoreRun>& runs, const std::string& key, bool descending) {
  key_named(fact_keys(), "--sort", key);
  if (key == "name" && !descending) return;  // as they are read
  std::stable_sort(runs.begin(), runs.end(), [&](const StoreRun& a, const StoreRun& b) {
    const Fact *one = fact_of(a.facts, key), *two = fact_of(b.facts, key);
    if (one == nullptr || two == nullptr) return one != nullptr && two == nullptr;
    return descending ? *two < *one : *one < *two;
  });
}

std::string list_text(const std::vector<StoreRun>& runs) {
  std::vector<std::vector<std::string>> rows = {
      {"run", "state", "N", "D", "loss", "wall", "sweeps"}};
  std::map<CellState, int64_t> states;
  double seconds = 0;
  std::string faults;
  for (const StoreRun& run : runs) {
    rows.push_back({escaped(run.name), std::string(name(run.state)), number_text(run.facts, "N"),
                    number_text(run.facts, "D"), loss_of(run.facts), wall_of(run.facts),
                    escaped(sweeps_of(run.facts))});
    ++states[run.state];
    const double wall = number_fact(run.facts, "wall_seconds");
    if (!std::isnan(wall)) seconds += wall;
    if (!run.exclusions.empty()) {
      faults += "  " + escaped(run.name) + ": " + escaped(in_words(run.exclusions)) + "\n";
    }
    if (run.why.empty() || run.state == CellState::kDiverged) continue;
    faults += "  " + escaped(run.name) + ": " + escaped(run.why) + "\n";
  }
  if (runs.empty()) return "no runs\n";
  std::string text;
  for (const std::string& line : aligned(rows, {false, false, true, true, true, true, false})) {
    text += line + "\n";
  }
  return text + faults + "\n" + counted(static_cast<int64_t>(runs.size()), "run") + ": " +
         states_text(states) + "; " + duration_text(seconds) +
         " of training\nN: parameters, non_embedding; loss: nats a token, on the training set's "
         "own "
         "test split where complete\n";
}

std::string list_json(const std::vector<StoreRun>& runs) {
  Json list = Json::array();
  for (const StoreRun& run : runs) {
    Json json = {{"name", run.name}, {"state", name(run.state)}, {"why", run.why}};
    Json config = Json::object();
    for (const auto& [key, fact] : run.facts) {
      Json& into = is_config_key(key) ? config : json;
      std::visit([&, &at = key](const auto& value) { into[at] = value; }, fact);
    }
    for (const SweepExclusion& each : run.exclusions) {
      json["exclusions"].push_back({{"sweep", each.sweep}, {"reason", each.reason}});
    }
    json["config"] = std::move(config);
    list.push_back(std::move(json));
  }
  const Json all = {{"runs", std::move(list)}};
  return all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
