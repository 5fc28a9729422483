#include "analysis/propose/proposed_sweep.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "analysis/number_text.h"
#include "analysis/propose/run_settings.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// A string of JSON is one of YAML.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

void set(RunSettings& settings, const std::string& key, const std::string& value) {
  const auto found = std::ranges::find(settings, key, &RunSettings::value_type::first);
  if (found == settings.end()) {
    settings.emplace_back(key, value);
  } else {
    found->second = value;
  }
}

std::string value_of(const RunSettings& settings, const std::string& key) {
  const auto found = std::ranges::find(settings, key, &RunSettings::value_type::first);
  return found == settings.end() ? "" : found->second;
}

// Of the cell itself, whole: its like's with what is the cell's own.
RunSettings settings_of(const ProposedCell& cell) {
  RunSettings settings = read_run_settings(cell.like);
  const ModelShape& shape = *cell.shape;
  set(settings, "model.arch", shape.arch);
  set(settings, "model.n_layer", std::to_string(shape.n_layer));
  set(settings, "model.d_model", std::to_string(shape.d_model));
  if (reads_field(shape, "n_head")) set(settings, "model.n_head", std::to_string(shape.n_head));
  // A run is of whole steps: what was asked for stands in its settings.
  const auto asked = parse_real(value_of(settings, "horizon.tokens"));
  const auto batch = parse_real(value_of(settings, "train.batch_tokens"));
  if (!asked || std::abs(*asked - cell.d_tokens) > batch.value_or(0)) {
    set(settings, "horizon.tokens", canonical(cell.d_tokens));
  }
  if (!cell.measured || value_of(settings, "train.learning_rate").empty()) {
    set(settings, "train.learning_rate", canonical(cell.learning_rate));
  }
  return settings;
}

std::string seed_list(const Proposal& p) {
  std::string list;
  for (int i = 0; i < p.runs; ++i) {
    list += (i == 0 ? "" : ", ") + std::to_string(p.cell.first_seed + i);
  }
  return "[" + list + "]";
}

}  // namespace

std::string proposed_sweep(const Proposals& proposals, const std::string& name) {
  std::map<std::string, RunSettings> arms;
  std::string blocks;
  int number = 0;
  for (const Proposal& p : proposals.proposals) {
    const RunSettings own = settings_of(p.cell);
    const RunSettings& arm = arms.try_emplace(p.arm, own).first->second;
    ++number;
    blocks += "  # " + escaped(p.reason) + "\n";
    blocks += "  # " + (p.gain ? "expected to narrow it by " + percent(*p.gain, 1) + ", " : "") +
              scientific(p.flops()) + " FLOPs\n";
    blocks += "  - name: proposal_" + std::to_string(number) + "_" +
              std::string(scalelaw::name(p.kind)) + "\n    arms: [" + quoted(p.arm) + "]\n";
    for (const auto& [key, value] : own) {
      const bool always = key == "model.d_model" || key == "model.n_layer" ||
                          key == "model.n_head" || key == "train.learning_rate" ||
                          key == "horizon.tokens";
      if (always || value_of(arm, key) != value) blocks += "    " + key + ": " + value + "\n";
    }
    const std::string seeds = seed_list(p);
    blocks += "    zip: {seeds.init: " + seeds + ", seeds.data: " + seeds + "}\n";
  }
  std::string text = "# What `scalelaw propose` would run next, after " +
                     escaped(proposals.source) + ": " + std::to_string(proposals.proposals.size()) +
                     " proposals, " + scientific(proposals.flops()) + " FLOPs.\n" +
                     "# New sizes have layers, tokens and learning rates by straight lines in logs "
                     "through the sizes of their arm.\n" +
                     "spec: 1\nname: " + name + "\narms:\n";
  for (const auto& [arm, settings] : arms) {
    text += "  " + quoted(arm) + ":\n";
    for (const auto& [key, value] : settings) text += "    " + key + ": " + value + "\n";
  }
  return text + "blocks:\n" + blocks;
}

}  // namespace scalelaw
