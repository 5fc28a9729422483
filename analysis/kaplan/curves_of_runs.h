// Training curves of run folders and of tables.
#pragma once

#include <string>

#include "analysis/kaplan/training_curve.h"
#include "analysis/measurements/law_rows.h"
#include "analysis/run_table.h"

namespace scalelaw {

// Losses of the evaluations while the runs trained. The warm-up ends at the first line of the
// highest learning rate. `selection` gets its defaults filled in. ConfigError: as read_runs() and
// select_runs() say (of runs of one batch at a time: batches may differ), several arms without
// `arm`, no curve.
CurveData curves_of_runs(RunTable table, Selection& selection, const std::string& arm);

// Columns N, S, batch and L, U where there is one; rows of equal `run_column` are a curve. Runs
// whose N, batch or U changes are left out, and so are rows that no law takes. `warmup`: of every
// run, in updates. ConfigError: columns that are not there, several arms without one chosen, no row
// left.
CurveData curves_of_table(Measurements table, const RowSelection& selection, double warmup);

}  // namespace scalelaw
