#include <algorithm>
#include <map>

#include "analysis/measurements/measurements.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

std::string ending(const fs::path& path) {
  std::string text = path.extension().string();
  std::ranges::transform(text, text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return text;
}

bool is_json_lines(const fs::path& path) {
  return ending(path) == ".jsonl" || ending(path) == ".ndjson";
}

void add_runs(Measurements& table, const std::vector<fs::path>& paths, Selection selection) {
  RunTable runs = read_runs(paths);
  if (selection.by == ArmGrouping::kArchitecture) {
    for (RunRow& row : runs.rows) row.arm = row.record.shape.arch;
  }
  select_runs(runs, selection, Horizons::kAll);
  table.sources.push_back(runs.source);
  for (const RunRow& run : runs.rows) {
    Measurement row = measurement_of(table, run, selection.n_count);
    row.set(table.column("L"), canonical(run.loss(selection.test_set, selection.metric)));
    table.rows.push_back(std::move(row));
  }
  for (const Exclusion& each : runs.excluded) {
    table.excluded.push_back({each.folder_name, each.reason});
  }
  table.warnings.insert(table.warnings.end(), runs.warnings.begin(), runs.warnings.end());
  table.notes.push_back("of runs L is the final loss on " + selection.test_set + " in " +
                        std::string(unit(selection.metric)) + ", N " +
                        std::string(in_words(selection.n_count)) +
                        ", C exact FLOPs of training with causal attention");
}

}  // namespace

std::size_t Measurements::column(const std::string& name) {
  columns_of.resize(sources.size());
  const auto found = std::ranges::find(columns, name);
  const auto at = static_cast<std::size_t>(found - columns.begin());
  if (found != columns.end()) {
    columns_of.back().insert(at);
    return at;
  }
  if (columns.size() == kMostColumns) {
    throw ConfigError(escaped(sources.back()) + ": more than " + std::to_string(kMostColumns) +
                      " columns; leave out those that no law needs");
  }
  columns.push_back(name);
  columns_of.back().insert(at);
  return at;
}

bool Measurements::has(std::size_t source, std::size_t column) const {
  return source < columns_of.size() && columns_of[source].contains(column);
}

void Measurement::set(std::size_t column, std::string text) {
  const auto at = std::ranges::lower_bound(cells, column, {}, &Cell::column);
  const bool is_there = at != cells.end() && at->column == column;
  if (text.empty()) {
    if (is_there) cells.erase(at);
  } else if (is_there) {
    at->text = std::move(text);
  } else {
    cells.insert(at, {column, std::move(text)});
  }
}

std::string_view Measurements::cell(const Measurement& row, std::size_t column) const {
  const auto at = std::ranges::lower_bound(row.cells, column, {}, &Cell::column);
  if (at == row.cells.end() || at->column != column) return {};
  return at->text;
}

std::string Measurements::place(const Measurement& row) const {
  if (row.line == 0) return escaped(row.name);
  return escaped(sources[row.source]) + ", line " + std::to_string(row.line);
}

bool is_measurement_file(const fs::path& path) {
  return is_json_lines(path) || ending(path) == ".csv" || ending(path) == ".tsv" ||
         ending(path) == ".txt";
}

Measurement measurement_of(Measurements& table, const RunRow& run, NCount n_count) {
  Measurement row{table.sources.size() - 1, 0, run.folder_name, {}};
  const RunRecord& record = run.record;
  const auto set = [&](const char* name, std::string text) {
    row.set(table.column(name), std::move(text));
  };
  set("N", canonical(run.n(n_count)));
  set("D", canonical(run.d_tokens()));
  set("C", canonical(run.training_flops()));
  set("S", std::to_string(record.steps));
  set("batch", std::to_string(record.batch_tokens));
  set("U", std::to_string(record.unique_train_tokens));
  set("lr", canonical(record.learning_rate));
  set("arm", run.arm);
  set("n_layer", std::to_string(record.shape.n_layer));
  set("d_model", std::to_string(record.shape.d_model));
  set("seed", std::to_string(record.seed_init));
  return row;
}

Measurements read_measurements(const std::vector<fs::path>& paths, const Selection& selection) {
  Measurements table;
  std::vector<fs::path> runs;
  for (const fs::path& path : paths) {
    if (!is_measurement_file(path)) {
      runs.push_back(path);
      continue;
    }
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) {
      throw ConfigError(escaped(path.string()) + ": is no file that is there");
    }
    const std::string bytes = read_whole_file(path);
    is_json_lines(path) ? add_json_lines(table, path.string(), bytes)
                        : add_csv(table, path.string(), bytes);
  }
  if (!runs.empty()) add_runs(table, runs, selection);
  return table;
}

}  // namespace scalelaw
