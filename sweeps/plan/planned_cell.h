// One cell of a plan: its expressions evaluated, its run identified, its cost.
#pragma once

#include "sweeps/plan/plan.h"
#include "trainer/run_identity.h"

namespace scalelaw {

// As evaluate_expressions(), with the vocabulary of the cell's train set.
CellNotes evaluate_point(SweepPoint& point, DataSetHeaders& data, ExpressionCache& expressions);
// Configuration, hash and folder. ConfigError and KeyError as resolve() and identify().
PlannedCell plan_cell(const SweepPoint& point, const PlanOptions& options, DataSetHeaders& data);
// Shape, steps, FLOPs, hours and memory: what a merged cell is spared, so that a sweep of many
// equal cells stays cheap to plan. ConfigError as make_plan().
void complete_cell(const PlanOptions& options, DataSetHeaders& data, PlannedCell& cell);

}  // namespace scalelaw
