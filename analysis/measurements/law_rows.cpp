#include "analysis/measurements/law_rows.h"

#include <algorithm>
#include <map>

#include "analysis/measurements/measured_column.h"
#include "analysis/measurements/measurement_filter.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"

namespace scalelaw {
namespace {

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
  std::vector<MeasuredColumn> columns;
  MeasuredColumn response;
  bool in_ln = true;

  // "" where the row was added.
  std::string add(const Measurements& table, const Measurement& row, FormulaData& data) const {
    std::vector<double> values;
    for (const MeasuredColumn& column : columns) {
      const MeasuredValue found = column.of(table, row);
      if (!found.fault.empty()) return found.fault;
      values.push_back(found.value);
    }
    const MeasuredValue found = response.of(table, row, in_ln);
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
      Reader reader{{}, MeasuredColumn(table, maps[of], law.formula.response()), law.in_ln};
      for (const std::string& name : law.formula.columns()) {
        reader.columns.emplace_back(table, maps[of], name);
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
  const MeasurementFilter filter(table, maps, selection.where);
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
    throw ConfigError("--arm " + escaped(selection.group) + ": no row is of it" +
                      nearest_or_all(selection.group, names));
  }
  for (std::size_t of = 0; maps.size() > 1 && of < maps.size(); ++of) {
    if (asked[of] == 0 || taken[of] > 0) continue;
    table.warnings.push_back(escaped(table.sources[of]) + ": every one of its rows is left out");
  }
  warn_of_duplicates(table, groups, law.formula.response());
  return groups;
}

}  // namespace scalelaw
