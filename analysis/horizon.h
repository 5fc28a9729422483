// Of which D a fit of loss against N is.
#pragma once

#include "analysis/run_table.h"

namespace scalelaw {

// Moves to `excluded` the runs of another D than the selection's, which defaults to the D of most,
// and fills in `horizon`. With own_tokens all stay, and D may follow N. ConfigError: no run of that
// D, runs whose D is not known beside others, one size of an arm at several of its own D.
void keep_horizon(RunTable& table, Selection& selection);

}  // namespace scalelaw
