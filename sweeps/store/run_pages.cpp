#include "sweeps/store/run_pages.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sweeps/status/text_table.h"
#include "trainer/attempt_cost.h"
#include "trainer/bytes_text.h"
#include "trainer/config_yaml.h"
#include "trainer/escaped.h"
#include "trainer/number.h"
#include "trainer/run_record_json.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

std::vector<RunFile> files_of(const fs::path& folder) {
  std::vector<RunFile> files;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(folder, none)) {
    std::error_code gone;
    if (!entry.is_regular_file(gone)) continue;
    const uintmax_t bytes = entry.file_size(gone);
    files.push_back({entry.path().lexically_relative(folder).string(), gone ? 0 : bytes});
  }
  std::ranges::sort(files, {}, &RunFile::name);
  return files;
}

std::map<std::string, std::string> default_texts() {
  const auto values = canonical_values(RunConfig{});
  return {values.begin(), values.end()};
}

// Key, value, default of each key that is not at it.
Rows changed_keys(const RunPage& page) {
  const std::map<std::string, std::string> defaults = default_texts();
  Rows rows;
  for (const auto& [key, value] : page.config) {
    const auto usual = defaults.find(key);
    const std::string text = usual == defaults.end() ? "" : usual->second;
    if (text != value) rows.push_back({key, value, text});
  }
  return rows;
}

std::string noise_scale_text(const NoiseScale& scale) {
  const auto end = [](const std::optional<double>& tokens) {
    return tokens ? human(*tokens) : "-";
  };
  return end(scale.tokens) + ", 95% from " + end(scale.tokens_low) + " to " +
         end(scale.tokens_high);
}

// Label and text of what a run's results are.
Rows results_of(const RunPage& page) {
  Rows rows;
  if (!page.record) return rows;
  const RunRecord& record = *page.record;
  rows.push_back({"steps", std::to_string(record.steps)});
  rows.push_back({"train_tokens", human(static_cast<double>(record.train_tokens))});
  rows.push_back({"N (non_embedding)", human(number_fact(page.run.facts, "N"))});
  rows.push_back({"C (exact_causal)", human(number_fact(page.run.facts, "C"))});
  rows.push_back({"final_train_loss_nats", loss_text(record.final_train_loss_nats)});
  if (record.noise_scale) {
    rows.push_back({"noise_scale_tokens", noise_scale_text(*record.noise_scale)});
  }
  for (const auto& [set, result] : record.test) {
    rows.push_back({"test." + set + ".loss_nats", loss_text(result.loss_nats)});
    rows.push_back({"test." + set + ".standard_error_nats", loss_text(result.standard_error_nats)});
    const bool bytes_known = !std::isnan(result.bits_per_byte);
    rows.push_back(
        {"test." + set + ".bits_per_byte", bytes_known ? loss_text(result.bits_per_byte) : "-"});
    rows.push_back({"test." + set + ".top1_accuracy", loss_text(result.top1_accuracy)});
  }
  rows.push_back({"wall_seconds", human(record.wall_seconds)});
  rows.push_back({"train_hash", record.train_hash});
  rows.push_back({"tokenizer_hash", record.tokenizer_hash});
  return rows;
}

std::string section(const std::string& title, const Rows& rows) {
  if (rows.empty()) return "";
  Rows shown;
  for (const auto& row : rows) {
    std::vector<std::string> cells = {" "};
    for (const std::string& cell : row) cells.push_back(escaped(cell));
    shown.push_back(std::move(cells));
  }
  std::string text = "\n" + title + "\n";
  for (const std::string& line : aligned(shown, std::vector<bool>(shown.front().size(), false))) {
    text += line + "\n";
  }
  return text;
}

Rows attempt_rows(const std::vector<Attempt>& attempts) {
  Rows rows;
  for (const Attempt& attempt : attempts) {
    const Provenance& p = attempt.provenance;
    rows.push_back({std::to_string(attempt.number), p.started_at,
                    "from step " + std::to_string(attempt.first_step), p.host, p.device,
                    std::to_string(p.threads) + (p.threads == 1 ? " thread" : " threads"),
                    p.program_version + " " + p.git_commit.substr(0, 12) + (p.git_dirty ? "+" : ""),
                    "torch " + p.torch_version});
  }
  return rows;
}

Rows event_rows(const RunPage& page) {
  Rows rows;
  if (!page.record) return rows;
  for (const RunEvent& event : page.record->events) {
    rows.push_back({event.kind, "step " + std::to_string(event.step), event.detail});
  }
  return rows;
}

Rows file_rows(const std::vector<RunFile>& files) {
  Rows rows;
  double total = 0;
  for (const RunFile& file : files) {
    total += static_cast<double>(file.bytes);
    rows.push_back({file.name, bytes_text(static_cast<double>(file.bytes))});
  }
  rows.push_back({"together", bytes_text(total)});
  return rows;
}

Json json_of(const Fact& fact) {
  return std::visit([](const auto& value) { return Json(value); }, fact);
}

// Label, of the one, of the other: what differs.
Rows differing(const std::map<std::string, std::string>& one,
               const std::map<std::string, std::string>& two) {
  Rows rows;
  const auto of = [](const auto& values, const std::string& key) -> std::string {
    const auto found = values.find(key);
    return found == values.end() ? "-" : found->second;
  };
  std::map<std::string, std::string> keys = one;
  keys.insert(two.begin(), two.end());
  for (const auto& [key, unused] : keys) {
    if (of(one, key) != of(two, key)) rows.push_back({key, of(one, key), of(two, key)});
  }
  return rows;
}

Rows differing_keys(const RunPage& one, const RunPage& two) {
  return differing({one.config.begin(), one.config.end()}, {two.config.begin(), two.config.end()});
}

Rows differing_results(const RunPage& one, const RunPage& two) {
  const auto of = [](const RunPage& page) {
    std::map<std::string, std::string> values = {{"state", std::string(name(page.run.state))}};
    for (const auto& row : results_of(page)) values[row[0]] = row[1];
    return values;
  };
  return differing(of(one), of(two));
}

}  // namespace

RunPage read_run_page(const fs::path& runs, StoreRun run) {
  RunPage page;
  const RunFolder folder{runs / run.name};
  page.run = std::move(run);
  const auto attempt = [&](const auto& read) {
    try {
      read();
    } catch (const std::exception& error) {
      page.faults.emplace_back(error.what());
    }
  };
  attempt([&] { page.config = canonical_values(read_run_config(folder.config())); });
  attempt([&] { page.record = try_read_run_record(folder); });
  attempt([&] {
    std::vector<fs::path> damaged;
    page.attempts = read_attempts(folder, &damaged);
    for (const fs::path& file : damaged) page.faults.push_back(file.string() + ": is damaged");
  });
  for (const AttemptCost& cost : read_costs(folder)) {
    if (cost.is_known) continue;
    page.faults.push_back(cost_file(folder, cost.number).string() +
                          ": cannot be read: what attempt " + std::to_string(cost.number) +
                          " has cost is not known");
  }
  page.files = files_of(folder.path);
  return page;
}

std::string page_text(const RunPage& page) {
  const StoreRun& run = page.run;
  std::string text = escaped(run.name) + "  " + std::string(name(run.state)) + "\n";
  if (!run.why.empty()) text += "why: " + escaped(run.why) + "\n";
  if (!run.exclusions.empty()) text += escaped(in_words(run.exclusions)) + "\n";
  for (const std::string& fault : page.faults) text += "fault: " + escaped(fault) + "\n";
  Rows identity = {{"content_hash", text_fact(run.facts, "content_hash")},
                   {"recipe_hash", text_fact(run.facts, "recipe_hash")}};
  if (const Fact* sweeps = fact_of(run.facts, "sweeps")) {
    for (const std::string& sweep : std::get<std::vector<std::string>>(*sweeps)) {
      identity.push_back({"of sweep", sweep});
    }
  }
  text += section("identity", identity);
  text += section("configuration (key, value, default where it is another)", changed_keys(page));
  text += section("attempts", attempt_rows(page.attempts));
  text += section("events", event_rows(page));
  text += section("results", results_of(page));
  return text + section("files", file_rows(page.files));
}

std::string page_json(const RunPage& page) {
  Json facts = Json::object();
  for (const auto& [key, fact] : page.run.facts) facts[key] = json_of(fact);
  Json config = Json::object(), changed = Json::object(), files = Json::array();
  for (const auto& [key, value] : page.config) config[key] = value;
  for (const auto& row : changed_keys(page)) changed[row[0]] = row[1];
  for (const RunFile& file : page.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}});
  }
  Json json = {{"name", page.run.name}, {"state", name(page.run.state)},
               {"why", page.run.why},   {"faults", page.faults},
               {"facts", facts},        {"config", config},
               {"changed", changed},    {"attempts", page.attempts},
               {"files", files}};
  for (const SweepExclusion& each : page.run.exclusions) {
    json["exclusions"].push_back({{"sweep", each.sweep}, {"reason", each.reason}});
  }
  json["record"] = page.record ? Json(*page.record) : Json();
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string diff_text(const RunPage& one, const RunPage& two) {
  Rows head = {{"", one.run.name, two.run.name}};
  const auto with_head = [&](Rows rows) {
    if (!rows.empty()) rows.insert(rows.begin(), head.begin(), head.end());
    return rows;
  };
  std::string text;
  for (const RunPage* page : {&one, &two}) {
    for (const std::string& fault : page->faults) text += "fault: " + escaped(fault) + "\n";
  }
  const std::string config = section("configuration", with_head(differing_keys(one, two)));
  const std::string results = section("results", with_head(differing_results(one, two)));
  text += config.empty() ? "the configurations are the same\n" : config.substr(1);
  return text + (results.empty() ? "the results are the same\n" : results);
}

std::string diff_json(const RunPage& one, const RunPage& two) {
  const auto json_of_rows = [](const Rows& rows) {
    Json json = Json::object();
    for (const auto& row : rows) json[row[0]] = {row[1], row[2]};
    return json;
  };
  const Json json = {{"runs", {one.run.name, two.run.name}},
                     {"config", json_of_rows(differing_keys(one, two))},
                     {"results", json_of_rows(differing_results(one, two))}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
