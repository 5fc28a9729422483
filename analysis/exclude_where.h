#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analysis/run_table.h"

namespace scalelaw {

// Moves the rows for which `reason` is not empty to the exclusions.
template <typename Reason>
void exclude_where(RunTable& table, const Reason& reason) {
  std::vector<RunRow> kept;
  for (RunRow& row : table.rows) {
    const std::string why = reason(row);
    if (why.empty()) {
      kept.push_back(std::move(row));
    } else {
      table.excluded.push_back({row.folder_name, row.arm, why});
    }
  }
  table.rows = std::move(kept);
}

}  // namespace scalelaw
