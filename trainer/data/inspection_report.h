// What `scalelaw data inspect` says beyond data_set.json.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>

#include "trainer/data/inspection.h"

namespace scalelaw {

// inspect_data_set with the set's own tokenizer; its progress on a terminal's stderr.
Inspection inspect_with_progress(const DataSetInfo& set);

void print_inspection(std::ostream& out, const DataSetInfo& set, const Inspection& inspection);

// The counts by split, the ratios that are printed, and how runs were compared. A ratio to
// something that was not counted is null.
nlohmann::json inspection_json(const DataSetInfo& set, const Inspection& inspection);

}  // namespace scalelaw
