// A table of somebody else's runs (analysis/measurements) as the points of a frontier.
#pragma once

#include <string>
#include <vector>

#include "analysis/frontier/frontier_data.h"
#include "analysis/measurements/measurements.h"

namespace scalelaw {

struct TableReading {
  // --map and --where of `scalelaw fit`. N and one of D and C are needed, of which the other
  // follows by C = 6 N D; a loss too, but for optima.
  std::vector<std::string> maps = {};
  std::string where = {};
  std::string run = {};    // column whose rows are one run's loss curve; "": run, run_id, or none
  std::string error = {};  // of optima: one standard deviation of ln N*; "": n_star_std, or none
  bool optima = false;     // rows are minima, not runs
  int drop_highest = 0;    // points of the highest losses, left out
};

// Of a table of one source. Rows without a usable number are left out with the reason, equal ones
// but for the first. ConfigError names file, line or column, and rule: no such column, rows of
// several conventions or tokenizers, units by which C is not of this N and D or D not of this N, a
// run whose C does not grow with D or which has several N, no row left.
FrontierData frontier_from_table(Measurements table, const TableReading& reading);

}  // namespace scalelaw
