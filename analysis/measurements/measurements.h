// Anybody's measurements as one table: run folders, CSV, TSV and JSON lines, several at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run_table.h"

namespace scalelaw {

struct Cell {
  std::size_t column = 0;
  std::string text;  // as written, not ""
};

struct Measurement {
  std::size_t source = 0;  // index into sources
  int64_t line = 0;        // of the file, from 1; 0: no line of a file
  std::string name;        // of a run folder; "" of a line
  std::vector<Cell>
      cells;  // those that are there, by column: no more memory than the file has bytes

  void set(std::size_t column, std::string text);  // "" is missing
};

// A row that no law takes, and why.
struct LeftOutRow {
  std::string place, reason;  // "losses.csv, line 7"
};

struct Measurements {
  static constexpr std::size_t kMostColumns = 1000;

  std::vector<std::string> sources;               // file names as given
  std::vector<std::string> columns;               // of all sources, as first written
  std::vector<std::set<std::size_t>> columns_of;  // of each source, those that it names
  std::vector<Measurement> rows;
  std::vector<LeftOutRow> excluded;
  std::vector<std::string> notes;  // what was recognised, in sentences
  std::vector<std::string> warnings;

  // Its index, as one that the last source names; added where it is new. ConfigError beyond
  // kMostColumns.
  std::size_t column(const std::string& name);
  bool has(std::size_t source, std::size_t column) const;
  std::string_view cell(const Measurement& row, std::size_t column) const;  // "": missing
  std::string place(const Measurement& row) const;
};

// Whether a path is read as a table of others: by its ending .csv, .tsv, .txt, .jsonl or .ndjson.
bool is_measurement_file(const std::filesystem::path& path);

// Tables by their ending, anything else through read_runs() with N and loss by `selection`. The
// columns of runs: N, D, C (exact_causal), S, batch, U, lr, L, arm, n_layer, d_model, seed.
// ConfigError: not there, empty, no header, and what read_runs() and select_runs() refuse.
Measurements read_measurements(const std::vector<std::filesystem::path>& paths,
                               const Selection& selection);

// A run as a row of the last source, with those columns but L.
Measurement measurement_of(Measurements& table, const RunRow& run, NCount n_count);

// Adds the rows of a file's bytes. The first line names the columns; the separator is the comma, or
// what the header has in its place of tab and semicolon (RFC 4180 otherwise, by libcsv). A row of
// another number of cells is left out. ConfigError: no header, one that is all numbers or names a
// column twice, no row.
void add_csv(Measurements& table, const std::string& source, std::string_view bytes);
// Adds a row for each line that is a JSON object; objects in it give columns "outer.inner". What is
// no object is left out. ConfigError where no line is one.
void add_json_lines(Measurements& table, const std::string& source, std::string_view bytes);

}  // namespace scalelaw
