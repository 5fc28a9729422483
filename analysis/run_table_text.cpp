// The run table as CSV and JSON.
#include <nlohmann/json.hpp>

#include <cmath>
#include <vector>

#include "analysis/block_error.h"
#include "analysis/run_table.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// RFC 4180: quoted where needed, quotes doubled. A leading =, +, - or @ would be run as a formula
// by a spreadsheet.
std::string csv_field(std::string text) {
  if (!text.empty() && std::string("=+-@").find(text[0]) != std::string::npos) text = "'" + text;
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

// null where it is not known.
nlohmann::json told(double value) {
  return std::isfinite(value) && value > 0 ? nlohmann::json(value) : nlohmann::json();
}
nlohmann::json told(int64_t value) {
  return value > 0 ? nlohmann::json(value) : nlohmann::json();
}

using RunFacts = nlohmann::ordered_json;

// A run, used, in the order of the table's columns.
RunFacts facts_of(const RunRow& row, const Selection& selection) {
  const RunRecord& record = row.record;
  const TestResult& test = record.test.at(selection.test_set);
  const bool seeds = !row.tabled || row.tabled->has_seed;
  const bool blocks = row.window_losses.size() >= kFewestWindowsForBlocks;
  RunFacts facts = {
      {"folder", row.folder_name},
      {"arm", row.arm},
      {"state", "used"},
      {"arch", record.shape.arch},
      {"n_layer", told(record.shape.n_layer)},
      {"d_model", told(record.shape.d_model)},
      {"n_non_embedding", told(row.n(NCount::kNonEmbedding))},
      {"n_non_embedding_plus_head", told(row.n(NCount::kNonEmbeddingPlusHead))},
      {"n_total", told(row.n(NCount::kTotal))},
      {"train_tokens", told(record.train_tokens)},
      {row.tabled ? "training_flops" : "training_flops_exact_causal", told(row.training_flops())},
      {"test_set", selection.test_set},
      {"loss_nats", told(test.loss_nats)},
      {"loss_standard_error_nats", told(test.standard_error_nats)},
      {"loss_block_error_nats", nullptr},
      {"bits_per_byte", told(test.bits_per_byte)},
      {"top1_accuracy", told(test.top1_accuracy)},
      {"seed_init", seeds ? nlohmann::json(record.seed_init) : nlohmann::json()},
      {"seed_data", seeds ? nlohmann::json(record.seed_data) : nlohmann::json()},
      {"learning_rate", told(record.learning_rate)},
      {"batch_tokens", told(record.batch_tokens)},
      {"wall_seconds", told(record.wall_seconds)},
      {"content_hash", record.content_hash},
      {"reason", ""}};
  if (blocks) {
    facts["loss_block_error_nats"] =
        row.loss_standard_error(selection.test_set, LossMetric::kNatsPerToken);
  }
  return facts;
}

// Of every run, those that are left out too.
std::vector<RunFacts> all_facts(const RunTable& table, const Selection& selection) {
  std::vector<RunFacts> all;
  for (const RunRow& row : table.rows) all.push_back(facts_of(row, selection));
  for (const Exclusion& e : table.excluded) {
    RunFacts facts;
    if (!all.empty()) {
      for (const auto& [key, value] : all.front().items()) facts[key] = nullptr;
    }
    facts["folder"] = e.folder_name;
    facts["arm"] = e.arm;
    facts["state"] = "excluded";
    facts["reason"] = e.reason;
    all.push_back(std::move(facts));
  }
  return all;
}

std::string csv_text(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return csv_field(value.get<std::string>());
  if (value.is_number_float()) return canonical(value.get<double>());
  return value.dump();
}

}  // namespace

std::string runs_csv(const RunTable& table, const Selection& selection) {
  std::string header, lines;
  for (const RunFacts& facts : all_facts(table, selection)) {
    std::string keys, line;
    for (const auto& [key, value] : facts.items()) {
      keys.append(keys.empty() ? "" : ",").append(key);
      line.append(key == "folder" ? "" : ",").append(csv_text(value));
    }
    if (header.empty()) header = keys + '\n';
    lines += line + '\n';
  }
  return header + lines;
}

std::string runs_json(const RunTable& table, const Selection& selection) {
  // Names of files need not be UTF-8.
  return nlohmann::ordered_json(all_facts(table, selection))
             .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

}  // namespace scalelaw
