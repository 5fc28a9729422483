// `scalelaw runs list` as a table and as JSON.
#pragma once

#include <string>
#include <vector>

#include "sweeps/store/store_runs.h"

namespace scalelaw {

// By a key of fact_keys(), those without it last; equal ones stay in the store's order, by name.
// ConfigError for an unknown key.
void sort_runs(std::vector<StoreRun>& runs, const std::string& key, bool descending);

// What a terminal may show: names are escaped.
std::string list_text(const std::vector<StoreRun>& runs);
// {"runs": [{"name", "state", ..., "config": {...}}]}; config: what differs from the defaults.
std::string list_json(const std::vector<StoreRun>& runs);

}  // namespace scalelaw
