#include "analysis/measurements/runs_or_tables.h"

#include <algorithm>
#include <utility>

#include "analysis/exclude_where.h"
#include "analysis/measurements/measurement_filter.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// Asked of run folders before their losses are: no law is of runs chosen by their losses.
void keep_where(RunTable& runs, const std::string& where, NCount n_count) {
  Measurements table;
  table.sources.push_back(runs.source);
  for (const RunRow& run : runs.rows) table.rows.push_back(measurement_of(table, run, n_count));
  const MeasurementFilter filter(table, {column_map(table, 0, {})}, where);
  std::size_t at = 0;
  exclude_where(runs, [&](const RunRow&) {
    return filter.passes(table.rows[at++]) ? std::string() : "--where " + where;
  });
}

}  // namespace

RunTable read_runs_or_tables(const std::vector<fs::path>& paths, const TabledReading& reading,
                             Selection& selection) {
  const auto tables = std::ranges::count_if(paths, is_measurement_file);
  if (tables == std::ssize(paths) && tables > 0) {
    return tabled_runs(read_measurements(paths, selection), reading, selection);
  }
  if (tables > 0) {
    throw ConfigError(
        "tables and run folders are not set beside each other, since nothing says that their test "
        "texts are the same; `scalelaw report` writes the runs' table (runs.csv): give both as "
        "tables if they are");
  }
  for (const auto& [option, given] : {std::pair("--map", !reading.maps.empty()),
                                      std::pair("--run-column", !reading.run.empty())}) {
    if (given) throw ConfigError(std::string(option) + ": is of tables (.csv, .tsv, .jsonl)");
  }
  RunTable table = read_runs(paths);
  if (!reading.where.empty()) keep_where(table, reading.where, selection.n_count);
  return table;
}

}  // namespace scalelaw
