#include "analysis/frontier/frontier_csv.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr std::uintmax_t kLargestFile = 256ULL << 20;

struct CsvRow {
  int line = 0;
  std::vector<std::string> cells;
};

struct CsvTable {
  std::string name;
  std::vector<std::string> head;
  std::vector<CsvRow> rows;
};

// One record from `at` on; moves it and the line behind its end. A quote that never closes is a
// ConfigError.
CsvRow next_row(std::string_view text, std::size_t& at, int& line, const std::string& name) {
  CsvRow row{line, {""}};
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        row.cells.back() += c;
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        row.cells.back() += text[++at];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      row.cells.emplace_back();
    } else if (c == '\n') {
      ++at;
      return row;
    } else if (c != '\r') {
      row.cells.back() += c;
    }
  }
  if (quoted) {
    throw ConfigError(name + ", line " + std::to_string(row.line) +
                      ": a quote is opened and never closed");
  }
  return row;
}

CsvTable read_csv(std::string_view text, const std::string& name) {
  CsvTable table{name, {}, {}};
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::size_t at = 0;
  int line = 1;
  while (at < text.size()) {
    CsvRow row = next_row(text, at, line, name);
    if (row.cells.size() == 1 && row.cells.front().empty()) continue;
    if (table.head.empty()) {
      table.head = std::move(row.cells);
      std::set<std::string> seen;
      for (const std::string& column : table.head) {
        if (column.empty() || seen.insert(column).second) continue;
        throw ConfigError(name + ", line " + std::to_string(row.line) + ": column " + column +
                          " is named twice; give each column its own name");
      }
      continue;
    }
    if (row.cells.size() != table.head.size()) {
      throw ConfigError(name + ", line " + std::to_string(row.line) + ": " +
                        std::to_string(row.cells.size()) + " cells, and the head has " +
                        std::to_string(table.head.size()));
    }
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) throw ConfigError(name + ": no row below a head");
  return table;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string in_a_list(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list.append(list.empty() ? "" : ", ").append(word);
  return list;
}

std::optional<std::size_t> column_named(const CsvTable& table, const std::string& asked,
                                        const char* option) {
  const auto found = std::ranges::find(table.head, asked);
  if (found != table.head.end()) return static_cast<std::size_t>(found - table.head.begin());
  const std::string near = nearest(asked, table.head);
  throw ConfigError(
      std::string(option) + " " + asked + ": " + table.name + " has no such column; " +
      (near.empty() ? "it has " + in_a_list(table.head) : "did you mean " + near + "?"));
}

std::optional<std::size_t> column(const CsvTable& table, const std::string& asked,
                                  const char* option, const std::vector<std::string>& usual) {
  if (!asked.empty()) return column_named(table, asked, option);
  for (const std::string& name : usual) {
    for (std::size_t i = 0; i < table.head.size(); ++i) {
      if (lower(table.head[i]) == name) return i;
    }
  }
  return std::nullopt;
}

struct Places {
  std::optional<std::size_t> n, d, c, loss, run, error;
};

Places places_of(const CsvTable& table, const CsvColumns& columns) {
  Places p;
  p.n = column(table, columns.n, "--n-column",
               {"n", "params", "n_params", "parameters", "model size", "n_opt", "n_star"});
  p.d = column(table, columns.d, "--d-column", {"d", "tokens", "train_tokens", "d_opt", "t_star"});
  p.c = column(table, columns.c, "--c-column",
               {"c", "flops", "compute", "training flop", "training_flops", "train_flops"});
  p.loss =
      column(table, columns.loss, "--loss-column", {"loss", "val_loss", "test_loss", "loss_nats"});
  p.run = column(table, columns.run, "--run-column", {"run", "run_id"});
  p.error = column(table, columns.error, "--error-column", {"n_star_std"});
  const auto need = [&](bool there, const std::string& what, const std::string& option) {
    if (there) return;
    throw ConfigError(table.name + ": no column of " + what + "; name it with " + option +
                      ": there are " + in_a_list(table.head));
  };
  need(p.n.has_value(), "N", "--n-column");
  need(p.d || p.c, "D or C", "--d-column or --c-column");
  if (columns.optima) {
    need(p.c || p.d, "C", "--c-column");
  } else {
    need(p.loss.has_value(), "the loss", "--loss-column");
  }
  return p;
}

void keep_where(CsvTable& table, const CsvColumns& columns) {
  for (const auto& [name, value] : columns.where) {
    const std::size_t at = *column_named(table, name, "--where");
    std::set<std::string> there;
    for (const CsvRow& row : table.rows) there.insert(row.cells[at]);
    std::erase_if(table.rows,
                  [&, &wanted = value](const CsvRow& row) { return row.cells[at] != wanted; });
    if (!table.rows.empty()) continue;
    throw ConfigError("--where " + name + "=" + value + ": no row of " + table.name +
                      " is left; the column holds " +
                      in_a_list({there.begin(), there.end()}).substr(0, 200));
  }
}

// Never mixed in one fit: exponents move by convention alone.
void refuse_mixed_conventions(const CsvTable& table) {
  static const std::set<std::string> kConventions = {"param_convention", "convention",  "n_count",
                                                     "c_count",          "param_count", "tokenizer",
                                                     "tokenizer_hash",   "loss_unit"};
  for (std::size_t i = 0; i < table.head.size(); ++i) {
    if (kConventions.count(lower(table.head[i])) == 0) continue;
    std::set<std::string> there;
    for (const CsvRow& row : table.rows) there.insert(row.cells[i]);
    if (there.size() < 2) continue;
    throw ConfigError(table.name + ": column " + table.head[i] + " holds " +
                      in_a_list({there.begin(), there.end()}).substr(0, 200) +
                      ", which do not belong in one fit: choose with --where " + table.head[i] +
                      "=" + *there.begin());
  }
}

// One row's numbers, or why it has none.
struct RowNumbers {
  double n = 0, d = 0, c = 0, loss = 0, error = 0;
  std::string why;
};

RowNumbers numbers_of(const CsvTable& table, const CsvRow& row, const Places& places,
                      const CsvColumns& columns) {
  RowNumbers out;
  const auto read = [&](std::optional<std::size_t> place, double& value) {
    if (!place || !out.why.empty()) return;
    const std::string& cell = row.cells[*place];
    const std::optional<double> number = parse_real(cell);
    if (number && *number > 0) {
      value = *number;
    } else {
      out.why = table.head[*place] + " is " + (cell.empty() ? "empty" : excerpt(cell)) +
                ", not a number above 0";
    }
  };
  read(places.n, out.n);
  read(places.d, out.d);
  read(places.c, out.c);
  if (!columns.optima) read(places.loss, out.loss);
  if (columns.optima && places.error) read(places.error, out.error);
  if (!out.why.empty()) return out;
  if (!places.c) out.c = 6 * out.n * out.d;
  if (!places.d && !columns.optima) out.d = out.c / (6 * out.n);
  if (!(std::isfinite(out.c) && std::isfinite(out.d) && out.c > 0)) {
    out.why = "C = 6 N D is beyond all numbers";
  }
  return out;
}

std::string place(const CsvTable& table, const CsvRow& row) {
  return table.name + ", line " + std::to_string(row.line);
}

double middle_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// By the middle of all rows. Where D follows of C and N, or C of N and D, tokens a parameter tell.
void refuse_other_units(const CsvTable& table,
                        const std::vector<std::pair<const CsvRow*, RowNumbers>>& rows) {
  constexpr double kLeast = 0.5, kMost = 1e4;                // FLOPs a parameter and token
  constexpr double kFewestTokens = 1e-4, kMostTokens = 1e7;  // a parameter
  const char* const in_another =
      " is usual: N, D or C is in another unit (millions, billions, PF-days); all are wanted as "
      "plain numbers";
  std::vector<double> flops, tokens;
  for (const auto& [row, x] : rows) {
    const double d = x.d > 0 ? x.d : x.c / (6 * x.n);
    flops.push_back(x.c / (x.n * d));
    tokens.push_back(d / x.n);
  }
  const double k = middle_of(flops), ratio = middle_of(tokens);
  if (!(k >= kLeast && k <= kMost)) {
    throw ConfigError(table.name + ": C is " + human(k) + " N D, and 6" + in_another);
  }
  if (!(ratio >= kFewestTokens && ratio <= kMostTokens)) {
    throw ConfigError(table.name + ": D is " + human(ratio) + " N, and 1 to 1000" + in_another);
  }
}

// Ends and curves of the runs that several rows describe.
void take_runs(FrontierData& data, const CsvTable& table,
               const std::vector<std::pair<const CsvRow*, RowNumbers>>& rows,
               const Places& places) {
  std::map<std::string, std::vector<std::size_t>> by_run;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    by_run[places.run ? rows[i].first->cells[*places.run] : std::to_string(i)].push_back(i);
  }
  std::vector<std::vector<std::size_t>> runs;
  for (auto& [name, members] : by_run) runs.push_back(std::move(members));
  std::ranges::sort(runs);  // in the file's order
  for (std::size_t r = 0; r < runs.size(); ++r) {
    std::ranges::stable_sort(runs[r], {}, [&](std::size_t i) { return rows[i].second.d; });
    LossCurve curve{rows[runs[r].front()].second.n, static_cast<int>(r), {}, {}, {}};
    for (const std::size_t i : runs[r]) {
      const RowNumbers& numbers = rows[i].second;
      if (numbers.n != curve.n) {
        throw ConfigError(place(table, *rows[i].first) +
                          ": this run has another N in an earlier row");
      }
      if (!curve.d.empty() && numbers.d == curve.d.back()) {
        data.left_out.push_back(
            {place(table, *rows[i].first), "its run has another row at this D"});
        continue;
      }
      if (!curve.c.empty() && numbers.c <= curve.c.back()) {
        throw ConfigError(place(table, *rows[i].first) +
                          ": C is not above that of this run at fewer tokens; in a loss curve C is "
                          "what was spent so far");
      }
      curve.d.push_back(numbers.d);
      curve.c.push_back(numbers.c);
      curve.loss.push_back(numbers.loss);
    }
    data.points.push_back({curve.n, curve.d.back(), curve.c.back(), curve.loss.back(), curve.run});
    if (curve.d.size() > 1) data.curves.push_back(std::move(curve));
  }
}

void drop_highest(FrontierData& data, int number) {
  for (int i = 0; i < number && !data.points.empty(); ++i) {
    const auto highest = std::ranges::max_element(data.points, {}, &FrontierPoint::loss);
    data.left_out.push_back(
        {"N " + human(highest->n) + ", C " + human(highest->c) + ", loss " + human(highest->loss),
         "among the " + std::to_string(number) + " highest losses"});
    std::erase_if(data.curves, [&](const LossCurve& curve) { return curve.run == highest->run; });
    data.points.erase(highest);
  }
}

std::string words_of(const CsvTable& table, std::optional<std::size_t> place,
                     const std::string& else_words) {
  return place ? "column " + table.head[*place] : else_words;
}

}  // namespace

FrontierData frontier_from_csv_text(std::string_view text, const std::string& name,
                                    const CsvColumns& columns) {
  CsvTable table = read_csv(text, name);
  const Places places = places_of(table, columns);
  keep_where(table, columns);
  refuse_mixed_conventions(table);
  FrontierData data;
  data.source = name;
  data.n_words = words_of(table, places.n, "");
  data.d_words = words_of(table, places.d, "C / (6 N)");
  data.c_words = words_of(table, places.c, "6 N D");
  data.loss_words = columns.optima ? "" : words_of(table, places.loss, "");
  std::vector<std::pair<const CsvRow*, RowNumbers>> rows;
  std::map<std::vector<std::string>, int> seen;
  for (const CsvRow& row : table.rows) {
    RowNumbers numbers = numbers_of(table, row, places, columns);
    const auto [first, is_new] = seen.try_emplace(row.cells, row.line);
    if (!is_new) numbers.why = "the same as line " + std::to_string(first->second);
    if (!numbers.why.empty()) {
      data.left_out.push_back({place(table, row), numbers.why});
      continue;
    }
    rows.emplace_back(&row, numbers);
  }
  if (rows.empty()) {
    throw ConfigError(name + ": no row can be used; " + data.left_out.front().what + ": " +
                      data.left_out.front().why);
  }
  refuse_other_units(table, rows);
  if (columns.optima) {
    for (const auto& [row, x] : rows) data.optima.push_back({x.c, x.n, x.d, x.error});
    return data;
  }
  take_runs(data, table, rows, places);
  drop_highest(data, columns.drop_highest);
  return data;
}

FrontierData frontier_from_csv(const std::filesystem::path& file, const CsvColumns& columns) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error || !std::filesystem::is_regular_file(file)) {
    throw ConfigError(file.string() + ": is not there, or no file");
  }
  if (size > kLargestFile) {
    throw ConfigError(file.string() + ": larger than " + human(kLargestFile) + " bytes");
  }
  return frontier_from_csv_text(read_whole_file(file), file.filename().string(), columns);
}

}  // namespace scalelaw
