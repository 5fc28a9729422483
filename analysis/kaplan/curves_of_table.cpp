#include <algorithm>
#include <cmath>

#include "analysis/kaplan/curves_of_runs.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

struct Row {
  double step = 0, loss = 0, n = 0, batch = 0, unique = 0;
  std::string place;
};

bool has_text_column(const Measurements& table, const RowSelection& selection) {
  for (std::size_t of = 0; of < table.sources.size(); ++of) {
    if (!column_map(table, of, selection.maps).contains("U")) return false;
  }
  return true;
}

std::vector<std::vector<Row>> rows_by_run(const LawRows& rows, const FormulaLaw& law) {
  std::vector<std::vector<Row>> runs(static_cast<std::size_t>(rows.clusters));
  const std::vector<std::string>& columns = law.formula.columns();
  for (std::size_t i = 0; i < rows.data.rows(); ++i) {
    Row row{0, rows.data.response[i], 0, 0, 0, rows.places[i]};
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const double value = rows.data.row(i)[k];
      if (columns[k] == "N") row.n = value;
      if (columns[k] == "S") row.step = value;
      if (columns[k] == "batch") row.batch = value;
      if (columns[k] == "U") row.unique = value;
    }
    runs[static_cast<std::size_t>(rows.cluster[i])].push_back(row);
  }
  return runs;
}

void add_curve(CurveData& data, std::vector<Row> rows, double warmup) {
  const Row first = rows.front();
  const bool one_run = std::ranges::all_of(rows, [&](const Row& row) {
    return row.n == first.n && row.batch == first.batch && row.unique == first.unique;
  });
  if (!one_run) {
    data.left_out.push_back({"the run of " + first.place, "its N, batch or U changes: no one run"});
    return;
  }
  std::ranges::stable_sort(rows, {}, &Row::step);
  TrainingCurve curve{
      "the run of " + first.place, first.n, first.batch, first.unique, warmup, {}, {}};
  for (const Row& row : rows) {
    if (!curve.step.empty() && row.step == curve.step.back()) {
      data.left_out.push_back({row.place, "a second row of this run and step"});
      continue;
    }
    curve.step.push_back(row.step);
    curve.loss.push_back(row.loss);
  }
  data.curves.push_back(std::move(curve));
}

}  // namespace

CurveData curves_of_table(Measurements table, const RowSelection& selection, double warmup) {
  if (!find_column(table, selection.cluster)) {
    throw ConfigError(escaped(table.sources.front()) + ": there is no column " +
                      escaped(selection.cluster) +
                      ", whose value says which rows are one run: name it with --run-column");
  }
  const bool has_text = has_text_column(table, selection);
  // What is read; the formula itself is never fitted.
  const FormulaLaw law =
      own_law(std::string("L = a*N*S*batch") + (has_text ? "*U" : ""), formula_columns(table));
  std::vector<LawRows> groups = law_rows(table, law, selection);
  std::erase_if(groups, [](const LawRows& rows) { return rows.data.rows() == 0; });
  CurveData data;
  for (const LeftOutRow& row : table.excluded) data.left_out.push_back({row.place, row.reason});
  if (groups.empty()) {
    throw ConfigError(escaped(table.sources.front()) + ": no row is left" +
                      (data.left_out.empty() ? std::string()
                                             : " (" + data.left_out.front().what + ": " +
                                                   data.left_out.front().why + ")"));
  }
  if (groups.size() > 1) {
    throw ConfigError("there are several arms, and a law is of one: choose with --arm: " +
                      escaped(groups[0].group) + ", " + escaped(groups[1].group) +
                      (groups.size() > 2 ? ", ..." : ""));
  }
  data.source = table.sources.front();
  data.n_words = "column N of the table";
  data.batch_words = "column batch of the table, taken for tokens an update";
  data.loss_words = "column L of the table";
  data.notes = table.notes;
  data.warnings = table.warnings;
  if (warmup == 0) {
    data.warnings.push_back(
        "a table says nothing of the warm-up: no step is left out for it; say how long it was with "
        "--warmup (Kaplan et al.: 3000 steps)");
  }
  for (std::vector<Row>& rows : rows_by_run(groups.front(), law)) {
    if (!rows.empty()) add_curve(data, std::move(rows), warmup);
  }
  return data;
}

}  // namespace scalelaw
