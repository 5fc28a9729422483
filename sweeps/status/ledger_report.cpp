#include "sweeps/status/ledger_report.h"

#include "sweeps/plan/reports.h"
#include "sweeps/status/text_table.h"
#include "trainer/number.h"

namespace scalelaw {

RunLedger sum_of_ledgers(const std::vector<CellStatus>& statuses) {
  RunLedger sum;
  for (const CellStatus& status : statuses) sum.add(status.ledger);
  return sum;
}

nlohmann::ordered_json ledger_json(const RunLedger& ledger) {
  return {{"attempts", ledger.attempts},
          {"unknown", ledger.unknown},
          {"train_tokens", ledger.train_tokens},
          {"wall_seconds", ledger.wall_seconds},
          {"core_seconds", ledger.core_seconds},
          {"gpu_seconds", ledger.gpu_seconds},
          {"peak_bytes", ledger.peak_bytes},
          {"wasted_tokens", ledger.wasted_tokens},
          {"wasted_core_seconds", ledger.wasted_core_seconds},
          {"wasted_gpu_seconds", ledger.wasted_gpu_seconds}};
}

std::string ledger_text(const RunLedger& ledger) {
  if (ledger.attempts == 0) return "";
  std::string text = "spent: " + counted(ledger.attempts, "attempt") + ", ";
  if (ledger.core_seconds > 0) text += duration_text(ledger.core_seconds) + " of cores, ";
  if (ledger.gpu_seconds > 0) text += duration_text(ledger.gpu_seconds) + " of GPUs, ";
  text += human(static_cast<double>(ledger.train_tokens)) + " tokens";
  if (ledger.wasted_tokens > 0) {
    text += "; " + human(static_cast<double>(ledger.wasted_tokens)) +
            " of them were lost with their process and are trained again";
  }
  if (ledger.unknown == 0) return text + "\n";
  return text + "; without what " + counted(ledger.unknown, "attempt") +
         " cost, whose files cannot be read (`scalelaw runs verify` names them)\n";
}

}  // namespace scalelaw
