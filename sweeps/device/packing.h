// Which runs of a sweep share a process, and in which order processes start. A pack is trained side
// by side (trainer/pack_rules.h); one run alone is a pack of one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

using PlannedPack = std::vector<std::size_t>;  // cells of the plan, in the order of the pack's rows

// `cells`, none of them complete, in packs, in the order to start them in: start_order()'s
// (sweeps/device/start_order.h), a pack at the place of its first cell.
//
// Cells that have begun go on with those that their newest checkpoints name, in that order: with
// all of them as the same pack, else with those that are left of it. The others share a pack where
// the trainer allows it and they have equally many steps: a row that has ended is computed until
// the last one ends. As many packs as the workers' `replicas` demand, filled evenly; where that is
// left open as choose_replicas() says of the device's law, as measured or assumed, on a GPU in 16
// GB (the real one's size is not known here). A cell whose folder is damaged, or whose checkpoint
// cannot be read, is alone, and no pack is larger than was found to go well (cell_limits.h).
std::vector<PlannedPack> pack_cells(const Plan& plan, const std::vector<std::size_t>& cells);
// Of all cells of a stage, as if none had begun, in that order too.
std::vector<PlannedPack> packs_of(const Plan& plan, Stage stage);
// Of the cells that may start by `statuses`, which are of all cells.
std::vector<PlannedPack> packs_to_run(const Plan& plan, const std::vector<CellStatus>& statuses);

// Whether the device's law would have larger packs of the cells that may start if as large ones had
// been measured as twice its largest.
bool are_limited_by_what_was_measured(const Plan& plan, const std::vector<CellStatus>& statuses);

// "2 packs of 4 runs, 3 runs alone"; "" for none.
std::string packs_text(const std::vector<PlannedPack>& packs);

}  // namespace scalelaw
