#include "analysis/frontier/frontier_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "analysis/measurements/measured_column.h"
#include "analysis/measurements/measurement_filter.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// One row's numbers.
struct UsedRow {
  const Measurement* row = nullptr;
  double n = 0, d = 0, c = 0;  // d 0: of optima that tell none
  double loss = 0, error = 0;  // of runs; of optima, 0: not told
};

struct Columns {
  MeasuredColumn n, c;
  std::optional<MeasuredColumn> d, loss;
  std::optional<std::size_t> run, error;

  Columns(Measurements& table, const ColumnMap& map, const TableReading& reading)
      : n(table, map, "N"), c(table, map, "C") {
    if (!reading.optima || map.contains("D")) d.emplace(table, map, "D");
    if (!reading.optima) loss.emplace(table, map, "L");
    const auto own = [&](const char* option, const std::string& asked,
                         std::initializer_list<const char*> usual) {
      if (!asked.empty()) return std::optional(column_named(table, option, asked, {}));
      std::optional<std::size_t> found;
      for (const char* name : usual) {
        if (!found) found = find_column(table, name);
      }
      return found;
    };
    run = own("--run-column", reading.run, {"run", "run_id"});
    error = own("--error-column", reading.error, {"n_star_std"});
  }

  // "" where `used` has its numbers.
  std::string read(const Measurements& table, UsedRow& used) const {
    std::string fault;
    const auto take = [&](const MeasuredColumn& column, double& value) {
      if (!fault.empty()) return;
      const MeasuredValue found = column.of(table, *used.row, true);
      value = found.value;
      fault = found.fault;
    };
    take(n, used.n);
    if (d) take(*d, used.d);
    take(c, used.c);
    if (loss) take(*loss, used.loss);
    if (!loss && error && fault.empty()) {
      const std::string text(table.cell(*used.row, *error));
      used.error = parse_real(text).value_or(0);
      if (used.error <= 0) {
        fault = "column " + escaped(table.columns[*error]) + " is " +
                (text.empty() ? "empty" : excerpt(text)) + ", no number above 0";
      }
    }
    return fault;
  }
};

// Never mixed in one fit: exponents move by convention alone.
void refuse_mixed_conventions(const Measurements& table,
                              const std::vector<const Measurement*>& rows) {
  static const std::set<std::string> kConventions = {"param_convention", "convention",  "n_count",
                                                     "c_count",          "param_count", "tokenizer",
                                                     "tokenizer_hash",   "loss_unit"};
  for (std::size_t at = 0; at < table.columns.size(); ++at) {
    if (!kConventions.contains(plain_name(table.columns[at]))) continue;
    std::set<std::string> there;
    for (const Measurement* row : rows) there.emplace(table.cell(*row, at));
    if (there.size() < 2) continue;
    const std::string& one = there.begin()->empty() ? *std::next(there.begin()) : *there.begin();
    throw ConfigError(escaped(table.sources.front()) + ": column " + escaped(table.columns[at]) +
                      " holds " + excerpt(escaped_list({there.begin(), there.end()})) +
                      ", which do not belong in one fit: choose with --where '" +
                      escaped(table.columns[at]) + " == \"" + escaped(one) + "\"'");
  }
}

double middle_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// By the middle of all rows. Where D follows of C and N, or C of N and D, tokens a parameter tell.
void refuse_other_units(const Measurements& table, const std::vector<UsedRow>& rows) {
  constexpr double kLeast = 0.5, kMost = 1e4;                // FLOPs a parameter and token
  constexpr double kFewestTokens = 1e-4, kMostTokens = 1e7;  // a parameter
  const char* const in_another =
      " is usual: N, D or C is in another unit (millions, billions, PF-days); all are wanted as "
      "plain numbers";
  std::vector<double> flops, tokens;
  for (const UsedRow& x : rows) {
    const double d = x.d > 0 ? x.d : x.c / (6 * x.n);
    flops.push_back(x.c / (x.n * d));
    tokens.push_back(d / x.n);
  }
  const double k = middle_of(flops), ratio = middle_of(tokens);
  if (!(k >= kLeast && k <= kMost)) {
    throw ConfigError(escaped(table.sources.front()) + ": C is " + human(k) + " N D, and 6" +
                      in_another);
  }
  if (!(ratio >= kFewestTokens && ratio <= kMostTokens)) {
    throw ConfigError(escaped(table.sources.front()) + ": D is " + human(ratio) +
                      " N, and 1 to 1000" + in_another);
  }
}

// Ends and curves of the runs that several rows describe.
void take_runs(FrontierData& data, const Measurements& table, const std::vector<UsedRow>& rows,
               std::optional<std::size_t> run) {
  std::map<std::string, std::vector<std::size_t>> by_run;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    by_run[run ? std::string(table.cell(*rows[i].row, *run)) : std::to_string(i)].push_back(i);
  }
  std::vector<std::vector<std::size_t>> runs;
  for (auto& [name, members] : by_run) runs.push_back(std::move(members));
  std::ranges::sort(runs);  // in the file's order
  for (std::size_t r = 0; r < runs.size(); ++r) {
    std::ranges::stable_sort(runs[r], {}, [&](std::size_t i) { return rows[i].d; });
    LossCurve curve{rows[runs[r].front()].n, static_cast<int>(r), {}, {}, {}};
    for (const std::size_t i : runs[r]) {
      const UsedRow& numbers = rows[i];
      if (numbers.n != curve.n) {
        throw ConfigError(table.place(*rows[i].row) + ": this run has another N in an earlier row");
      }
      if (!curve.d.empty() && numbers.d == curve.d.back()) {
        data.left_out.push_back({table.place(*rows[i].row), "its run has another row at this D"});
        continue;
      }
      if (!curve.c.empty() && numbers.c <= curve.c.back()) {
        throw ConfigError(table.place(*rows[i].row) +
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

std::vector<const Measurement*> rows_that_pass(const Measurements& table, const ColumnMap& map,
                                               const std::string& where) {
  const MeasurementFilter filter(table, {map}, where);
  std::vector<const Measurement*> rows;
  for (const Measurement& row : table.rows) {
    if (filter.passes(row)) rows.push_back(&row);
  }
  if (rows.empty() && !table.rows.empty()) {
    throw ConfigError("--where " + escaped(where) + ": lets no row of " +
                      std::to_string(table.rows.size()) + " pass");
  }
  return rows;
}

}  // namespace

FrontierData frontier_from_table(Measurements table, const TableReading& reading) {
  const ColumnMap map = column_map(table, 0, reading.maps);
  const Columns columns(table, map, reading);
  const std::vector<const Measurement*> asked = rows_that_pass(table, map, reading.where);
  refuse_mixed_conventions(table, asked);
  FrontierData data;
  data.source = table.sources.front();
  data.n_words = columns.n.words(table);
  data.d_words = columns.d ? columns.d->words(table) : "C / (6 N)";
  data.c_words = columns.c.words(table);
  data.loss_words = columns.loss ? columns.loss->words(table) : "";
  data.warnings = table.warnings;
  for (const LeftOutRow& row : table.excluded) data.left_out.push_back({row.place, row.reason});
  std::vector<UsedRow> rows;
  std::map<std::vector<std::pair<std::size_t, std::string>>, std::string> seen;
  for (const Measurement* row : asked) {
    UsedRow used{row};
    std::string why = columns.read(table, used);
    std::vector<std::pair<std::size_t, std::string>> cells;
    for (const Cell& cell : row->cells) cells.emplace_back(cell.column, cell.text);
    const auto [first, is_new] = seen.try_emplace(std::move(cells), table.place(*row));
    if (!is_new) why = "the same as " + first->second;
    if (why.empty()) {
      rows.push_back(used);
    } else {
      data.left_out.push_back({table.place(*row), why});
    }
  }
  if (rows.empty()) {
    throw ConfigError(escaped(data.source) + ": no row can be used; " + data.left_out.front().what +
                      ": " + data.left_out.front().why);
  }
  refuse_other_units(table, rows);
  if (reading.optima) {
    for (const UsedRow& x : rows) data.optima.push_back({x.c, x.n, x.d, x.error});
    return data;
  }
  take_runs(data, table, rows, columns.run);
  drop_highest(data, reading.drop_highest);
  return data;
}

}  // namespace scalelaw
