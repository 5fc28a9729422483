// What a sweep's attempts have cost, as text and as JSON (trainer/attempt_cost.h).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sweeps/status/cell_status.h"

namespace scalelaw {

RunLedger sum_of_ledgers(const std::vector<CellStatus>& statuses);
nlohmann::ordered_json ledger_json(const RunLedger& ledger);
// "spent: 12 attempts, 3.4 h of cores, 20M tokens; 1.2M of them were lost with their process and
// are trained again", and of how many attempts the cost cannot be read; "" for none.
std::string ledger_text(const RunLedger& ledger);

}  // namespace scalelaw
