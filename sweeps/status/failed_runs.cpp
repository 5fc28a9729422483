#include "sweeps/status/failed_runs.h"

#include <algorithm>

#include "sweeps/executors/local.h"
#include "sweeps/status/sweep_folder.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

// A note may say anything: the log is one of the sweep's own or none.
std::string log_name(const PlannedCell& cell, const CellStatus& status) {
  if (status.log.empty()) return cell.folder + ".log";
  const bool is_name = status.log.find('/') == std::string::npos && status.log.ends_with(".log");
  return is_name ? status.log : "";
}

}  // namespace

std::vector<std::string> last_log_lines(const Plan& plan, const PlannedCell& cell,
                                        const CellStatus& status) {
  const std::string log = log_name(cell, status);
  if (status.state != CellState::kFailed || log.empty()) return {};
  const SweepFolder folder = sweep_folder(plan.options.runs, plan.name);
  std::vector<std::string> lines = last_lines(folder.path / "logs" / log, kLogLinesShown);
  // What stands before the heading is of the attempt before.
  const auto heading = std::find_if(lines.rbegin(), lines.rend(), [](const std::string& line) {
    return line.starts_with(LocalExecutor::kHeading);
  });
  lines.erase(lines.begin(), heading.base());
  for (std::string& line : lines) line = escaped(line);
  return lines;
}

std::vector<std::string> failed_lines(const Plan& plan, const std::vector<CellStatus>& statuses,
                                      std::size_t most) {
  std::vector<std::string> lines;
  std::size_t failed = 0;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (statuses[i].state != CellState::kFailed || ++failed > most) continue;
    const PlannedCell& cell = plan.cells[i];
    lines.push_back("  " + cell.folder + ": " + escaped(statuses[i].why));
    for (const std::string& line : last_log_lines(plan, cell, statuses[i])) {
      lines.push_back("    | " + line);
    }
  }
  if (failed == 0) return {};
  lines.insert(lines.begin(), "failed, with the end of each one's log:");
  if (failed > most) {
    lines.push_back("  and " + std::to_string(failed - most) + " more failed");
  }
  return lines;
}

}  // namespace scalelaw
