// One moment of a sweep in lines of text, the same for a launcher's own display and for whoever
// looks on from outside (watch_frame.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

// A process: its first run, and how many are beside it.
struct RunningPack {
  const PlannedCell* cell = nullptr;
  std::size_t others = 0;
  CellStatus progress;  // of the first; tokens_per_second of all
  std::optional<double> seconds_left;
  std::string holder = {};  // "pid 4711 on node3"; "" where the launcher itself is asked
};
// Of the `cells` (never empty) that one process trains, by their `statuses`, which are of all
// cells.
RunningPack running_pack(const Plan& plan, const std::vector<std::size_t>& cells,
                         const std::vector<CellStatus>& statuses);
// All that run, by whom their leases name: what one process holds is one pack.
std::vector<RunningPack> running_packs(const Plan& plan, const std::vector<CellStatus>& statuses);

using StateCounts = std::map<CellState, int64_t>;

// Cells in each state of each arm, in the file's order; a cell of several arms counts in each.
// Empty where the file has no arms.
struct ArmCounts {
  std::string arm;
  StateCounts states;
};
std::vector<ArmCounts> count_arms(const Plan& plan, const std::vector<CellStatus>& statuses);

// A launcher's.
struct SweepView {
  const Plan* plan = nullptr;
  StateCounts states;
  std::vector<RunningPack> running;
  double elapsed_seconds = 0;  // of this launcher
  std::optional<double> seconds_left;
  bool stopping = false;
};
std::vector<std::string> render(const SweepView& view);

// "34 complete, 2 failed": states that occur.
std::string states_text(const StateCounts& states);
// Tables with their headings, a row each; none where nothing is to be shown. Where `columns` do not
// hold running runs, their names are shortened and columns left out: step, time left and who holds
// a run stay. Where they do not hold that or the table of arms either, a sentence each without
// headings, which may be longer.
std::vector<std::string> running_lines(const std::vector<RunningPack>& running, int columns);
std::vector<std::string> arm_lines(const std::vector<ArmCounts>& arms, int columns);

}  // namespace scalelaw
