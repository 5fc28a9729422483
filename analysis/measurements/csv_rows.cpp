#include <csv.h>

#include <algorithm>
#include <exception>
#include <set>

#include "analysis/measurements/measurements.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

struct CsvParser {
  explicit CsvParser(unsigned char separator) {
    if (csv_init(&parser, CSV_APPEND_NULL) != 0) throw std::runtime_error("csv_init failed");
    csv_set_delim(&parser, separator);
  }
  ~CsvParser() { csv_free(&parser); }
  CsvParser(const CsvParser&) = delete;
  CsvParser& operator=(const CsvParser&) = delete;
  csv_parser parser;
};

char separator_of(std::string_view header) {
  for (const char separator : {',', '\t', ';'}) {
    if (header.find(separator) != std::string_view::npos) return separator;
  }
  return ',';
}

// Where the rows go that libcsv calls back with.
struct Reading {
  Measurements& table;
  std::size_t source = 0;
  int64_t line = 1, first_line = 0;  // of the row in reading; 0: none of its cells was seen
  std::vector<std::string> cells = {};
  std::vector<std::size_t> header = {};  // column of each cell
  bool has_header = false;
  std::size_t rows = 0;

  std::string where() const {
    return escaped(table.sources[source]) + ", line " + std::to_string(first_line);
  }

  void take_header() {
    if (std::ranges::all_of(cells, [](const auto& c) { return parse_real(c).has_value(); })) {
      throw ConfigError(where() + ": is all numbers; the first line must name the columns");
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string name = cells[i].empty() ? "column_" + std::to_string(i + 1) : cells[i];
      if (!seen.insert(name).second) {
        throw ConfigError(where() + ", column " + escaped(name) +
                          ": is named twice; give each column its own name");
      }
      header.push_back(table.column(name));
    }
    has_header = true;
  }

  void take_row() {
    if (first_line == 0) first_line = line;
    const bool blank = std::ranges::all_of(cells, [](const auto& c) { return c.empty(); });
    if (!has_header) {
      if (!blank) take_header();
    } else if (!blank && cells.size() != header.size()) {
      table.excluded.push_back({where(), "has " + std::to_string(cells.size()) +
                                             " cells where the header has " +
                                             std::to_string(header.size())});
      ++rows;
    } else if (!blank) {
      Measurement row{source, first_line, "", {}};
      for (std::size_t i = 0; i < cells.size(); ++i) {
        row.set(header[i], std::move(cells[i]));
      }
      table.rows.push_back(std::move(row));
      ++rows;
    }
    cells.clear();
    first_line = 0;
  }
};

// libcsv is C: an exception must not pass through it.
struct Callbacks {
  Reading reading;
  std::exception_ptr fault = {};
};

void on_cell(void* bytes, std::size_t size, void* data) {
  Callbacks& callbacks = *static_cast<Callbacks*>(data);
  if (callbacks.fault) return;
  try {
    Reading& reading = callbacks.reading;
    if (reading.first_line == 0) reading.first_line = reading.line;
    reading.cells.emplace_back(static_cast<const char*>(bytes), size);
  } catch (...) {
    callbacks.fault = std::current_exception();
  }
}

void on_row(int, void* data) {
  Callbacks& callbacks = *static_cast<Callbacks*>(data);
  if (callbacks.fault) return;
  try {
    callbacks.reading.take_row();
  } catch (...) {
    callbacks.fault = std::current_exception();
  }
}

}  // namespace

void add_csv(Measurements& table, const std::string& source, std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  table.sources.push_back(source);
  const char separator = separator_of(bytes.substr(0, bytes.find('\n')));
  CsvParser csv(static_cast<unsigned char>(separator));
  Callbacks callbacks{{table, table.sources.size() - 1}};
  // Line by line, so that each cell's line is known.
  while (!bytes.empty() && !callbacks.fault) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    if (csv_parse(&csv.parser, bytes.data(), end, on_cell, on_row, &callbacks) != end) {
      throw ConfigError(escaped(source) + ", line " + std::to_string(callbacks.reading.line) +
                        ": " + csv_strerror(csv_error(&csv.parser)));
    }
    bytes.remove_prefix(end);
    ++callbacks.reading.line;
  }
  --callbacks.reading.line;
  if (!callbacks.fault) csv_fini(&csv.parser, on_cell, on_row, &callbacks);
  if (callbacks.fault) std::rethrow_exception(callbacks.fault);
  if (!callbacks.reading.has_header) {
    throw ConfigError(escaped(source) + ": is empty; the first line must name the columns");
  }
  if (callbacks.reading.rows == 0) {
    throw ConfigError(escaped(source) + ": has no row below its header");
  }
}

}  // namespace scalelaw
