// Plan and status as text for people and as JSON for scripts.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"
#include "sweeps/status/sweep_view.h"

namespace scalelaw {

// `statuses`: of the plan's cells, in their order; those of status_* with their ledgers. `states`:
// of the cells that are listed; empty: all. What needs somebody is at the end of the text, in JSON
// the cells are in the plan's order.
std::string plan_text(const Plan& plan, const std::vector<CellStatus>& statuses);
std::string plan_json(const Plan& plan, const std::vector<CellStatus>& statuses);
std::string status_text(const Plan& plan, const std::vector<CellStatus>& statuses,
                        const std::set<CellState>& states = {});
std::string status_json(const Plan& plan, const std::vector<CellStatus>& statuses,
                        const std::set<CellState>& states = {});

// The failed cells that trying again does not help, each with what is to be mended; "" without any.
std::string needs_hand_text(const Plan& plan, const std::vector<CellStatus>& statuses);

// That larger packs than were measured may be faster; "" where none would be chosen.
std::string few_measured_warning(const Plan& plan, const std::vector<CellStatus>& statuses);

// Each excluded cell with the reason, a line each; "" without any.
std::string excluded_text(const Plan& plan, const std::vector<CellStatus>& statuses);

// "1 run", "2 runs"
std::string counted(int64_t count, const std::string& thing);

}  // namespace scalelaw
