#include "analysis/measurements/law_rows.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"
#include "trainer/run_filter.h"

namespace scalelaw {
namespace {

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + escaped(word);
  return text;
}

bool is_law_column(const std::string& name) {
  const auto all = law_columns();
  return std::find(all.begin(), all.end(), name) != all.end();
}

// A column of the law: read from the table, or made of two others.
struct Wanted {
  std::string name;
  enum class From { kTable, kComputeOverSixN, kSixND } from = From::kTable;
  ColumnSource source = {},
               other = {};  // of the table; of kComputeOverSixN C and N, of kSixND N, D
};

Wanted wanted(Measurements& table, const ColumnMap& map, const std::string& name) {
  const auto has = [&](const char* column) { return map.contains(column); };
  const auto written = [&](const std::string& column) {
    return escaped(table.columns[map.at(column).column]);
  };
  if (const auto found = map.find(name); found != map.end()) {
    if (written(name) != name) {
      const double times = found->second.times;
      table.notes.push_back(name + " is the column " + written(name) +
                            (times == 1 ? "" : " times " + canonical(times)));
    }
    return {name, Wanted::From::kTable, found->second};
  }
  if (name == "D" && has("N") && has("C")) {
    table.notes.push_back("D = C / 6N of the columns " + written("C") + " and " + written("N"));
    return {name, Wanted::From::kComputeOverSixN, map.at("C"), map.at("N")};
  }
  if (name == "C" && has("N") && has("D")) {
    table.notes.push_back("C = 6 N D of the columns " + written("N") + " and " + written("D"));
    return {name, Wanted::From::kSixND, map.at("N"), map.at("D")};
  }
  if (!is_law_column(name)) {
    if (const auto found = find_column(table, name)) {
      return {name, Wanted::From::kTable, {.column = *found}};
    }
  }
  throw ConfigError("the law needs a column " + name + ", and none of " + list(table.columns) +
                    " is known for it: say which with --map " + name + "=COLUMN");
}

// Why a number cannot be under a column; "" where it can.
std::string broken_rule(const std::string& name, double value, bool must_be_positive) {
  if (name == "accuracy" && !(value >= 0 && value <= 1)) return "an accuracy is from 0 to 1";
  if (must_be_positive && value <= 0) return "must be above 0";
  if (!is_law_column(name)) return "";
  const bool counts = name == "N" || name == "D" || name == "U" || name == "S" || name == "batch";
  if (counts && value < 1) return "is a count and at least 1 (in what unit is the column?)";
  if (value <= 0 && name != "accuracy" && name != "neg_ln_pass") return "must be above 0";
  return "";
}

struct CellValue {
  double value = 0;
  std::string fault;  // "column loss = -1: must be above 0"
};

CellValue value_of(const Measurements& table, const Measurement& row, const ColumnSource& source) {
  const std::string text(table.cell(row, source.column));
  const std::string where = "column " + escaped(table.columns[source.column]);
  if (text.empty()) return {0, where + ": is missing"};
  const std::optional<double> number = parse_real(text);
  if (!number) return {0, where + " = " + excerpt(text) + ": is no finite number"};
  return {*number * source.times, ""};
}

CellValue value_of(const Measurements& table, const Measurement& row, const Wanted& column,
                   bool must_be_positive) {
  CellValue found = value_of(table, row, column.source);
  if (!found.fault.empty()) return found;
  if (column.from != Wanted::From::kTable) {
    CellValue other = value_of(table, row, column.other);
    if (!other.fault.empty()) return other;
    found.value = column.from == Wanted::From::kSixND ? 6 * found.value * other.value
                                                      : found.value / (6 * other.value);
    if (!std::isfinite(found.value)) return {0, column.name + " cannot be made of its columns"};
  }
  const std::string rule = broken_rule(column.name, found.value, must_be_positive);
  if (rule.empty()) return found;
  const std::string& written = table.columns[column.source.column];
  const std::string as = written == column.name || column.from != Wanted::From::kTable
                             ? column.name
                             : escaped(written) + " (" + column.name + ")";
  return {0, "column " + as + " = " + canonical(found.value) + ": " + rule};
}

// What --where may ask: a column is a number where every cell that is there is one.
class RowFilter {
 public:
  RowFilter(const Measurements& table, const std::vector<ColumnMap>& maps, const std::string& text)
      : table_(table), read_as_(table.columns.size()) {
    for (const Measurement& row : table.rows) {
      for (const Cell& cell : row.cells) read_as_[cell.column].add(cell.text);
    }
    for (std::size_t at = 0; at < table.columns.size(); ++at) {
      const std::string& name = table.columns[at];
      const bool is_word = name.find_first_of("()<>=!~\"'* \t") == std::string::npos;
      for (std::size_t of = 0; of < maps.size(); ++of) {
        if (table.has(of, at)) add(is_word ? name : plain_name(name), of, {.column = at});
      }
    }
    for (std::size_t of = 0; of < maps.size(); ++of) {
      for (const auto& [name, source] : maps[of]) add(name, of, source);
      if (maps[of].contains("L")) add("loss", of, maps[of].at("L"));
    }
    for (const auto& [name, by_source] : sources_) {
      ReadAs as;
      for (const auto& [of, source] : by_source) {
        as.number = as.number || read_as_[source.column].number;
        as.text = as.text || read_as_[source.column].text;
      }
      keys_.push_back({name, as.number && !as.text ? FactKind::kNumber : FactKind::kText});
    }
    if (!text.empty()) filter_ = RunFilter(text, keys_);
  }

  bool passes(const Measurement& row) const {
    Fact fact;
    return filter_.matches([&](const std::string& key) -> const Fact* {
      const auto of_key = sources_.find(key);
      if (of_key == sources_.end()) return nullptr;
      const auto found = of_key->second.find(row.source);
      if (found == of_key->second.end()) return nullptr;
      const std::string text(table_.cell(row, found->second.column));
      if (text.empty()) return nullptr;
      if (find_key(keys_, key)->kind == FactKind::kText) {
        fact = text;
      } else {
        fact = parse_real(text).value_or(std::nan("")) * found->second.times;
      }
      return &fact;
    });
  }

 private:
  void add(const std::string& name, std::size_t of, const ColumnSource& source) {
    if (!name.empty()) sources_[name].emplace(of, source);
  }

  struct ReadAs {
    bool number = false, text = false;
    void add(const std::string& cell) {
      // Hyphens and nan stand for what is missing in a column of numbers.
      const bool reads = parse_real(cell).has_value();
      number = number || reads;
      text = text || (!reads && cell != "-" && cell != "nan" && cell != "NaN" && cell != "NA");
    }
  };

  const Measurements& table_;
  std::vector<ReadAs> read_as_;  // of each column
  std::vector<FilterKey> keys_;
  std::map<std::string, std::map<std::size_t, ColumnSource>> sources_;  // by the row's source
  RunFilter filter_;
};

std::size_t column_named(const Measurements& table, const char* option, const std::string& name,
                         const ColumnMap& map) {
  if (const auto found = map.find(name); found != map.end()) return found->second.column;
  if (const auto found = find_column(table, name)) return *found;
  const std::string near = nearest(name, table.columns);
  throw ConfigError(std::string(option) + " " + escaped(name) + ": there is no such column" +
                    (near.empty() ? "; there are " + list(table.columns)
                                  : "; did you mean " + escaped(near) + "?"));
}

LawRows& rows_of(std::vector<LawRows>& groups, const std::string& group) {
  const auto found = std::ranges::find(groups, group, &LawRows::group);
  if (found != groups.end()) return *found;
  groups.emplace_back();
  groups.back().group = group;
  return groups.back();
}

void warn_of_duplicates(Measurements& table, const std::vector<LawRows>& groups,
                        const std::string& response) {
  for (const LawRows& rows : groups) {
    std::map<std::vector<double>, std::size_t> seen;
    int same = 0;
    std::string first;
    for (std::size_t i = 0; i < rows.data.rows(); ++i) {
      std::vector<double> all(rows.data.row(i), rows.data.row(i) + rows.data.width);
      all.push_back(rows.data.response[i]);
      const auto [before, is_new] = seen.emplace(std::move(all), i);
      if (is_new) continue;
      if (same++ == 0) first = rows.places[before->second] + " and " + rows.places[i];
    }
    if (same == 0) continue;
    table.warnings.push_back(std::to_string(same) + (same == 1 ? " row is" : " rows are") +
                             " in the table twice, with the same " + response +
                             " to the last digit (" + first + (same > 1 ? ", ..." : "") +
                             "): both are kept, and intervals by row are too narrow if one "
                             "measurement was written down twice");
  }
}

// The laws' columns that matter here, and the column that gives each.
struct Reader {
  std::vector<Wanted> columns;
  Wanted response;
  bool in_ln = true;

  // "" where the row was added.
  std::string add(const Measurements& table, const Measurement& row, FormulaData& data) const {
    std::vector<double> values;
    for (const Wanted& column : columns) {
      const CellValue found = value_of(table, row, column, false);
      if (!found.fault.empty()) return found.fault;
      values.push_back(found.value);
    }
    const CellValue found = value_of(table, row, response, in_ln);
    if (found.fault.empty()) data.add(values, found.value);
    return found.fault;
  }
};

// nullopt, with a warning, where a source lacks a column of the law and another does not.
std::vector<std::optional<Reader>> readers_of(Measurements& table, const FormulaLaw& law,
                                              const std::vector<ColumnMap>& maps) {
  std::vector<std::optional<Reader>> readers(maps.size());
  std::string first_fault;
  bool any = false;
  for (std::size_t of = 0; of < maps.size(); ++of) {
    const std::size_t before = table.notes.size();
    try {
      Reader reader{{}, wanted(table, maps[of], law.formula.response()), law.in_ln};
      for (const std::string& name : law.formula.columns()) {
        reader.columns.push_back(wanted(table, maps[of], name));
      }
      readers[of] = std::move(reader);
      any = true;
      for (std::size_t i = before; maps.size() > 1 && i < table.notes.size(); ++i) {
        table.notes[i] = escaped(table.sources[of]) + ": " + table.notes[i];
      }
    } catch (const ConfigError& error) {
      table.notes.resize(before);
      if (first_fault.empty()) first_fault = error.what();
      if (maps.size() > 1) {
        table.warnings.push_back(escaped(table.sources[of]) +
                                 ": none of its rows is taken: " + error.what());
      }
    }
  }
  if (!any) throw ConfigError(first_fault);
  return readers;
}

}  // namespace

std::vector<std::string> formula_columns(const Measurements& table) {
  std::vector<std::string> names(law_columns().begin(), law_columns().end());
  for (const std::string& name : table.columns) {
    const bool word = !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
                      std::ranges::all_of(name, [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                               (c >= '0' && c <= '9') || c == '_';
                      });
    if (word && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<LawRows> law_rows(Measurements& table, const FormulaLaw& law,
                              const RowSelection& selection) {
  std::vector<ColumnMap> maps;
  for (std::size_t of = 0; of < table.sources.size(); ++of) {
    maps.push_back(column_map(table, of, selection.maps));
  }
  const std::vector<std::optional<Reader>> readers = readers_of(table, law, maps);
  const ColumnMap& map = maps.front();
  std::optional<std::size_t> by, cluster;
  if (!selection.by.empty()) by = column_named(table, "--by", selection.by, map);
  if (!by && selection.by.empty()) by = find_column(table, "arm");
  if (!selection.cluster.empty()) {
    cluster = column_named(table, "--cluster", selection.cluster, map);
  }
  const RowFilter filter(table, maps, selection.where);
  std::vector<LawRows> groups;
  std::vector<std::string> names;
  std::map<std::string, std::map<std::string, int>> drawn;
  std::size_t passed = 0;
  std::vector<std::size_t> asked(maps.size()), taken(maps.size());
  for (const Measurement& row : table.rows) {
    if (!filter.passes(row)) continue;
    const std::optional<Reader>& reader = readers[row.source];
    if (!reader) {
      table.excluded.push_back({table.place(row), "its table lacks a column of the law"});
      ++passed;
      continue;
    }
    ++passed;
    const std::string group = by ? std::string(table.cell(row, *by)) : "";
    if (by && std::ranges::find(names, group) == names.end()) names.push_back(group);
    if (!selection.group.empty() && group != selection.group) continue;
    LawRows& rows = rows_of(groups, group);
    ++asked[row.source];
    const std::string fault = reader->add(table, row, rows.data);
    if (!fault.empty()) {
      table.excluded.push_back({table.place(row), fault});
      continue;
    }
    ++taken[row.source];
    rows.places.push_back(table.place(row));
    const std::string key =
        cluster ? std::string(table.cell(row, *cluster)) : std::to_string(rows.places.size());
    auto& clusters = drawn[group];
    rows.cluster.push_back(clusters.emplace(key, static_cast<int>(clusters.size())).first->second);
    rows.clusters = static_cast<int>(clusters.size());
  }
  if (passed == 0 && !table.rows.empty()) {
    throw ConfigError("--where " + escaped(selection.where) + ": lets no row of " +
                      std::to_string(table.rows.size()) + " pass");
  }
  if (!selection.group.empty() && groups.empty()) {
    const std::string near = nearest(selection.group, names);
    throw ConfigError(
        "--arm " + escaped(selection.group) + ": no row is of it; " +
        (near.empty() ? "there are " + list(names) : "did you mean " + escaped(near) + "?"));
  }
  for (std::size_t of = 0; maps.size() > 1 && of < maps.size(); ++of) {
    if (asked[of] == 0 || taken[of] > 0) continue;
    table.warnings.push_back(escaped(table.sources[of]) + ": every one of its rows is left out");
  }
  warn_of_duplicates(table, groups, law.formula.response());
  return groups;
}

}  // namespace scalelaw
