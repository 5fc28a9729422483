#include "sweeps/status/run_facts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sweeps/status/cell_status.h"
#include "trainer/config_keys.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kSpec = "spec";  // tells that config.yaml was read

void add(RunFacts& facts, const std::string& key, double value) {
  if (std::isfinite(value)) facts[key] = value;
}
void add(RunFacts& facts, const std::string& key, int64_t value) {
  facts[key] = static_cast<double>(value);
}
void add(RunFacts& facts, const std::string& key, const std::string& value) {
  if (!value.empty()) facts[key] = value;
}

// As the configuration's reader tells them apart: what is neither chosen nor a name is a number.
bool is_number(const KeyAccess& access) {
  return access.key.choices.empty() && parse_real(access.key.default_text).has_value();
}

Fact fact_from(const KeyAccess& access, const std::string& text) {
  if (!is_number(access)) return text;
  return parse_real(text).value_or(std::numeric_limits<double>::quiet_NaN());
}

const RunFacts& default_facts() {
  static const RunFacts facts = [] {
    RunFacts all;
    for (const KeyAccess& access : key_table()) {
      all[access.key.name] = fact_from(access, access.key.default_text);
    }
    return all;
  }();
  return facts;
}

void add_test_results(RunFacts& facts, const RunRecord& record) {
  for (const auto& [set, result] : record.test) {
    const std::string prefix = "test." + set + ".";
    add(facts, prefix + "loss_nats", result.loss_nats);
    add(facts, prefix + "standard_error_nats", result.standard_error_nats);
    add(facts, prefix + "bits_per_byte", result.bits_per_byte);
    add(facts, prefix + "top1_accuracy", result.top1_accuracy);
  }
  if (record.test.empty()) return;
  const auto own = record.test.find(record.train_set);
  const auto& [set, result] = own != record.test.end() ? *own : *record.test.begin();
  add(facts, "test_set", set);
  add(facts, "loss", result.loss_nats);
}

void add_last_attempt(RunFacts& facts, const RunRecord& record) {
  add(facts, "attempts", static_cast<int64_t>(record.attempts.size()));
  if (record.attempts.empty()) return;
  const Provenance& last = record.attempts.back().provenance;
  add(facts, "host", last.host);
  add(facts, "device", last.device);
  add(facts, "started_at", last.started_at);
  add(facts, "program_version", last.program_version);
}

// Of a run; to wait or be excluded is a cell's of one sweep (the key `excluded`).
std::vector<std::string> state_names() {
  std::vector<std::string> names;
  for (const CellState state : kCellStates) {
    if (state != CellState::kExcluded && state != CellState::kWaiting)
      names.emplace_back(name(state));
  }
  return names;
}

std::vector<FilterKey> all_keys() {
  std::vector<FilterKey> keys = {{"name", FactKind::kText},
                                 {"state", FactKind::kText, state_names()},
                                 {"sweeps", FactKind::kList},
                                 {"excluded", FactKind::kList},
                                 {"events", FactKind::kList}};
  for (const char* text :
       {"content_hash", "recipe_hash", "train_set", "train_hash", "tokenizer_hash", "test_set",
        "host", "device", "started_at", "program_version"}) {
    keys.push_back({text, FactKind::kText});
  }
  for (const char* number : {"N",
                             "N_with_head",
                             "N_total",
                             "D",
                             "C",
                             "loss",
                             "step",
                             "steps",
                             "wall_seconds",
                             "train_tokens",
                             "unique_train_tokens",
                             "batch_tokens",
                             "learning_rate",
                             "seed_init",
                             "seed_data",
                             "final_train_loss_nats",
                             "attempts",
                             "pack",
                             "n_vocab",
                             "test.*.loss_nats",
                             "test.*.standard_error_nats",
                             "test.*.bits_per_byte",
                             "test.*.top1_accuracy"}) {
    keys.push_back({number, FactKind::kNumber});
  }
  for (const KeyAccess& access : key_table()) {
    keys.push_back({access.key.name, is_number(access) ? FactKind::kNumber : FactKind::kText,
                    access.key.choices});
  }
  keys.push_back({std::string(kTestPrefix) + "*", FactKind::kNumber});
  return keys;
}

}  // namespace

RunFacts record_facts(const RunRecord& record) {
  RunFacts facts;
  const bool diverged = record.state == RunState::kDiverged;
  facts["state"] = std::string(name(diverged ? CellState::kDiverged : CellState::kComplete));
  add(facts, "content_hash", record.content_hash);
  add(facts, "recipe_hash", record.recipe_hash);
  add(facts, "N", n_params(record.shape, record.counts, NCount::kNonEmbedding));
  add(facts, "N_with_head", n_params(record.shape, record.counts, NCount::kNonEmbeddingPlusHead));
  add(facts, "N_total", n_params(record.shape, record.counts, NCount::kTotal));
  const auto tokens = static_cast<double>(record.train_tokens);
  add(facts, "D", tokens);
  add(facts, "C",
      tokens * training_flops_per_token(record.shape, record.counts, CCount::kExactCausal));
  add(facts, "n_vocab", record.shape.n_vocab);
  add(facts, "steps", record.steps);
  add(facts, "step", record.steps);
  add(facts, "train_tokens", record.train_tokens);
  add(facts, "unique_train_tokens", record.unique_train_tokens);
  add(facts, "batch_tokens", record.batch_tokens);
  add(facts, "learning_rate", record.learning_rate);
  add(facts, "seed_init", record.seed_init);
  add(facts, "seed_data", record.seed_data);
  add(facts, "train_set", record.train_set);
  add(facts, "train_hash", record.train_hash);
  add(facts, "tokenizer_hash", record.tokenizer_hash);
  add(facts, "final_train_loss_nats", record.final_train_loss_nats);
  add(facts, "wall_seconds", record.wall_seconds);
  add(facts, "pack", static_cast<int64_t>(record.pack.size()));
  add_test_results(facts, record);
  add_last_attempt(facts, record);
  std::vector<std::string> events;
  for (const RunEvent& event : record.events) events.push_back(event.kind);
  if (!events.empty()) facts["events"] = std::move(events);
  return facts;
}

RunFacts config_facts(const RunConfig& config) {
  RunFacts facts;
  for (const KeyAccess& access : key_table()) {
    const std::string text = access.get(config);
    const bool differs = text != access.key.default_text;
    if (differs || access.key.name == kSpec) facts[access.key.name] = fact_from(access, text);
  }
  for (const auto& [set, tokens] : config.data.test) add(facts, kTestPrefix + set, tokens);
  return facts;
}

const std::vector<FilterKey>& fact_keys() {
  static const std::vector<FilterKey> keys = all_keys();
  return keys;
}

std::string record_keys_text() {
  constexpr std::size_t kColumns = 96;
  std::string text, line;
  for (const FilterKey& key : fact_keys()) {
    if (default_facts().contains(key.name)) break;  // the configuration's are the last
    if (line.size() + key.name.size() >= kColumns) text += std::exchange(line, "") + "\n";
    line += (line.empty() ? "" : " ") + key.name;
  }
  return text + line;
}

const Fact* fact_of(const RunFacts& facts, const std::string& key) {
  if (const auto found = facts.find(key); found != facts.end()) return &found->second;
  if (!facts.contains(kSpec)) return nullptr;
  const auto found = default_facts().find(key);
  return found == default_facts().end() ? nullptr : &found->second;
}

const std::string& text_fact(const RunFacts& facts, const std::string& key) {
  static const std::string none;
  const Fact* fact = fact_of(facts, key);
  const auto* text = fact == nullptr ? nullptr : std::get_if<std::string>(fact);
  return text == nullptr ? none : *text;
}

double number_fact(const RunFacts& facts, const std::string& key) {
  const Fact* fact = fact_of(facts, key);
  const auto* number = fact == nullptr ? nullptr : std::get_if<double>(fact);
  return number == nullptr ? std::numeric_limits<double>::quiet_NaN() : *number;
}

}  // namespace scalelaw
