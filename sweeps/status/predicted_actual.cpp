#include "sweeps/status/predicted_actual.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "sweeps/plan/cell_hours.h"
#include "sweeps/plan/disk_needs.h"
#include "sweeps/plan/optional_json.h"
#include "sweeps/plan/reports.h"
#include "sweeps/status/text_table.h"
#include "trainer/bytes_text.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kSecondsAnHour = 3600;

double bytes_on_disk(const fs::path& folder) {
  constexpr double kBytesOfABlock = 512;  // as stat counts them
  double bytes = 0;
  std::error_code gone;
  fs::recursive_directory_iterator it(folder, gone), end;
  for (; !gone && it != end; it.increment(gone)) {
    struct stat found = {};
    if (lstat(it->path().c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    bytes += kBytesOfABlock * static_cast<double>(found.st_blocks);
  }
  return bytes;
}

bool can_be_compared(const PlannedCell& cell, const CellStatus& status) {
  const RunLedger& ledger = status.ledger;
  return status.state == CellState::kComplete && cell.core_hours && ledger.unknown == 0 &&
         ledger.core_seconds > 0 && ledger.gpu_seconds == 0;
}

}  // namespace

PredictedActual predicted_and_actual(const Plan& plan, const std::vector<CellStatus>& statuses) {
  PredictedActual both;
  double predicted_bytes = 0, bytes = 0;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    const RunLedger& ledger = statuses[i].ledger;
    if (!can_be_compared(cell, statuses[i])) continue;
    const double kept = ledger.core_seconds - ledger.wasted_core_seconds;
    both.predicted_core_seconds += *cell.core_hours * kSecondsAnHour;
    both.core_seconds += kept;
    both.wall_seconds += ledger.wall_seconds * kept / ledger.core_seconds;
    if (cell.memory_bytes && ledger.peak_bytes > 0) {
      both.predicted_peak_bytes = std::max(both.predicted_peak_bytes, *cell.memory_bytes);
      both.peak_bytes = std::max(both.peak_bytes, ledger.peak_bytes);
    }
    if (++both.runs > kMostRunsOnDisk) continue;
    predicted_bytes += bytes_of_complete(cell);
    bytes += bytes_on_disk(run_folder(plan, cell));
  }
  if (both.runs == 0 || both.runs > kMostRunsOnDisk) return both;
  both.predicted_bytes = predicted_bytes;
  both.bytes = bytes;
  return both;
}

std::string predicted_text(const PredictedActual& both, const Plan& plan) {
  if (both.runs == 0) return "";
  std::string text = "predicted: " + duration_text(both.predicted_core_seconds) + " of cores for " +
                     counted(both.runs, "complete run") +
                     ", taken by the clock: " + duration_text(both.core_seconds) + " (" +
                     human(both.core_seconds / both.predicted_core_seconds) + " times)";
  if (both.bytes) {
    text += "; disk: " + bytes_text(*both.predicted_bytes) + ", taken: " + bytes_text(*both.bytes);
  }
  if (both.peak_bytes > 0) {
    text += "; memory of the largest process: " + bytes_text(both.predicted_peak_bytes) +
            ", taken: " + bytes_text(both.peak_bytes);
  }
  std::string source = hours_source(plan);
  std::ranges::replace(source, '\n', ' ');
  return text + "\n           " + escaped(source) + "\n";
}

nlohmann::ordered_json predicted_json(const PredictedActual& both, const Plan& plan) {
  return {{"runs", both.runs},
          {"predicted_core_seconds", both.predicted_core_seconds},
          {"core_seconds", both.core_seconds},
          {"wall_seconds", both.wall_seconds},
          {"predicted_bytes", optional_json(both.predicted_bytes)},
          {"bytes", optional_json(both.bytes)},
          {"predicted_peak_bytes", both.predicted_peak_bytes},
          {"peak_bytes", both.peak_bytes},
          {"hours_source", hours_source(plan)}};
}

}  // namespace scalelaw
