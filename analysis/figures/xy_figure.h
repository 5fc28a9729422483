// Any number of the runs table against any other.
#pragma once

#include <string>
#include <vector>

#include "analysis/figures/figure.h"
#include "analysis/run_table.h"

namespace scalelaw {

struct XyColumns {
  std::string x, y;  // names of columns of runs_csv()
};
// Of "X,Y"; ConfigError where that is no pair of names.
XyColumns xy_columns(const std::string& text);

// A point a run, Y against X, of keep_usable_runs()' rows. An axis is logarithmic where all its
// numbers are above 0 and the largest is at least twice the smallest. Several arms have a colour
// and symbol each; of one arm, points are coloured by N. Runs that lack a number are left out and
// named in `warnings`. ConfigError: a column that is not there or holds no number (with the nearest
// name), no run that has both.
Figure xy_figure(const RunTable& table, const Selection& selection, const XyColumns& columns,
                 std::vector<std::string>& warnings);

}  // namespace scalelaw
