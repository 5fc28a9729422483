// A table of somebody else's runs, as `scalelaw frontier` reads it.
#include <cmath>

#include "analysis/frontier/frontier_table.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  TableReading reading;
  // The first byte chooses what is asked of the rest.
  if (!bytes.empty() && bytes.front() == '!') {
    reading.optima = true;
    bytes.remove_prefix(1);
  } else if (!bytes.empty() && bytes.front() == '-') {
    reading.drop_highest = 2;
    bytes.remove_prefix(1);
  }
  Measurements table;
  add_csv(table, "fuzz.csv", bytes);
  const FrontierData data = frontier_from_table(std::move(table), reading);
  const auto whole = [](double value) { return value > 0 && std::isfinite(value); };
  for (const FrontierPoint& p : data.points) {
    require(whole(p.n) && whole(p.d) && whole(p.c) && whole(p.loss), "points are of numbers");
  }
  for (const GivenOptimum& o : data.optima) {
    require(whole(o.n) && whole(o.c), "minima are of numbers");
  }
  for (const LossCurve& curve : data.curves) {
    require(curve.d.size() > 1 && curve.d.size() == curve.loss.size(), "curves have points");
    for (std::size_t i = 1; i < curve.d.size(); ++i) {
      require(curve.d[i] > curve.d[i - 1], "curves ascend");
    }
  }
}

}  // namespace scalelaw
