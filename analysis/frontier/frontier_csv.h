// A table of somebody else's runs (CSV with a head, RFC 4180) as the points of a frontier.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/frontier/frontier_data.h"

namespace scalelaw {

struct CsvColumns {
  // Names of columns; "": the first that is called as such a column usually is. N and one of D and
  // C are needed, of which the other follows by C = 6 N D; a loss too, but for optima.
  std::string n, d, c, loss;
  std::string run;    // rows of one run are its loss curve; "": every row is a run
  std::string error;  // of optima: one standard deviation of ln N*
  std::vector<std::pair<std::string, std::string>> where;  // column, value: other rows are not read
  bool optima = false;                                     // rows are minima, not runs
  int drop_highest = 0;                                    // points of the highest losses, left out
};

// Rows without a usable number are left out with the reason, equal ones but for the first.
// ConfigError names file, line or column, and rule: no such column, a row of another width, rows of
// several conventions or tokenizers, a column named twice, units by which C is not of this N and D
// or D not of this N, a run whose C does not grow with D, no row left.
FrontierData frontier_from_csv(const std::filesystem::path& file, const CsvColumns& columns);
FrontierData frontier_from_csv_text(std::string_view text, const std::string& name,
                                    const CsvColumns& columns);

}  // namespace scalelaw
