// Run folders and sweeps as the points of a frontier.
#pragma once

#include <string>

#include "analysis/frontier/frontier_data.h"
#include "analysis/run_table.h"

namespace scalelaw {

// `table` as read; of one arm, or `arm` names it. `selection` is filled in as select_runs() does.
// Curves are of the test losses while training, in the selection's metric. ConfigError: arms to
// choose from, no such arm, nothing to select, a count of C that an architecture has not.
FrontierData frontier_from_runs(RunTable table, Selection& selection, CCount c_count,
                                const std::string& arm);

}  // namespace scalelaw
