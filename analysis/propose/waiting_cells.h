// Held-out cells that have not run: nobody else may begin them before their loss is predicted.
#pragma once

#include <filesystem>
#include <vector>

#include "trainer/sweep_record.h"

namespace scalelaw {

// Of all sweeps of the stores that `paths` (as read_runs() takes them) lie in, without a run.json.
// A record that cannot be read says nothing.
std::vector<HeldOut> waiting_cells(const std::vector<std::filesystem::path>& paths);

}  // namespace scalelaw
