// A table of somebody else's runs, as `scalelaw compare` and `report` read it.
#include "analysis/measurements/tabled_runs.h"

#include <cmath>

#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  Selection selection;
  // The first byte chooses what is asked of the rest.
  if (!bytes.empty() && bytes.front() == '!') {
    selection.metric = LossMetric::kBitsPerByte;
    bytes.remove_prefix(1);
  } else if (!bytes.empty() && bytes.front() == '-') {
    selection.own_tokens = true;
    bytes.remove_prefix(1);
  }
  Measurements table;
  if (!bytes.empty() && bytes.front() == '{') {
    add_json_lines(table, "fuzz.jsonl", bytes);
  } else {
    add_csv(table, "fuzz.csv", bytes);
  }
  RunTable runs = tabled_runs(std::move(table), {}, selection);
  select_runs(runs, selection);
  for (const RunRow& row : runs.rows) {
    const double loss = row.loss(selection.test_set, selection.metric);
    require(loss > 0 && std::isfinite(loss), "losses are numbers above 0");
    require(row.n(selection.n_count) > 0, "each run has an N");
    for (std::size_t i = 1; i < row.tabled->curve.size(); ++i) {
      require(row.tabled->curve[i].d_tokens >= row.tabled->curve[i - 1].d_tokens, "curves ascend");
    }
  }
  runs_csv(runs, selection);
  runs_json(runs, selection);
}

}  // namespace scalelaw
