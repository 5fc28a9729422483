// A table of somebody's losses: JSON lines where it begins with a {, else CSV.
#include <algorithm>

#include "analysis/measurements/law_rows.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  Measurements table;
  bytes.starts_with('{') ? add_json_lines(table, "table.jsonl", bytes)
                         : add_csv(table, "table.csv", bytes);
  for (const Measurement& row : table.rows) {
    require(row.cells.size() <= table.columns.size(), "every cell has a column");
    require(std::ranges::none_of(row.cells, [](const Cell& cell) { return cell.text.empty(); }),
            "no memory is spent on what is missing");
    require(row.line >= 1, "every row has a line");
  }
  const FormulaLaw& law = *find_formula_law("chinchilla");
  for (const LawRows& rows : law_rows(table, law, {.where = "loss < 100"})) {
    require(rows.places.size() == rows.data.rows(), "every row of the fit has its place");
    for (std::size_t i = 0; i < rows.data.rows(); ++i) {
      require(rows.data.response[i] > 0, "losses are above 0");
      require(rows.data.row(i)[0] >= 1 && rows.data.row(i)[1] >= 1, "N and D are counts");
      require(rows.cluster[i] < rows.clusters, "clusters are numbered");
    }
  }
}

}  // namespace scalelaw
