#pragma once

#include <filesystem>
#include <vector>

#include "analysis/measurements/tabled_runs.h"

namespace scalelaw {

// Of tables, or of run folders and sweeps. ConfigError: both at once, `reading` of folders, and
// what the two refuse.
RunTable read_runs_or_tables(const std::vector<std::filesystem::path>& paths,
                             const TabledReading& reading, Selection& selection);

}  // namespace scalelaw
