// One page of `scalelaw sweep watch`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"
#include "sweeps/status/law_glance.h"
#include "sweeps/status/sweep_view.h"
#include "sweeps/status/terminal.h"
#include "sweeps/status/work_left.h"

namespace scalelaw {

struct WatchView {
  std::string head;  // the sweep, its states, when
  PresentWork work;
  std::vector<ArmCounts> arms;
  std::vector<RunningPack> running;
  std::vector<std::string> silent;  // of each run whose process gives no sign of life, a line
  std::vector<LawGlance> laws;
  std::vector<std::string> failed;  // failed_lines()
};
// Reads the ends of failed runs' logs. `now`: utc_now().
WatchView watch_view(const Plan& plan, const std::vector<CellStatus>& statuses,
                     const LawGlances& laws, const std::string& now);

// From top to bottom: states, present work, arms, running runs, law, failed runs. All of it without
// `size`; else no more lines than it has rows, each part shortened, the failed runs' last, and the
// plot where there is room for it. No line is as long as the terminal is wide: tables leave columns
// out or become sentences, the law's slope and its standard error and who holds a run last, and
// what is longer is wrapped.
std::vector<std::string> render(const Plan& plan, const WatchView& view,
                                const std::optional<TerminalSize>& size);

}  // namespace scalelaw
