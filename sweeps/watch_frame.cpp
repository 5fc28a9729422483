#include "sweeps/watch_frame.h"

#include <algorithm>
#include <utility>

#include "sweeps/cell_watch.h"
#include "sweeps/failed_runs.h"
#include "sweeps/text_table.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

constexpr int kColumnsOfAPage = 100;  // of the plot where there is no terminal

// A part of the page under an empty line, which is one of its lines.
struct Part {
  std::vector<std::string> lines;
  std::size_t least = 0;  // that it is shortened to before others have none; 0: whole or not at all
  std::string things = {};  // that its lines are
  std::size_t shown = 0;
};

Part part(std::vector<std::string> lines, std::size_t least, std::string things) {
  if (lines.empty()) return {};
  lines.insert(lines.begin(), "");
  return {std::move(lines), least, std::move(things), 0};
}

// Parts in the order in which they get their least, and in which they get what is left.
constexpr std::size_t kArms = 0, kRunning = 1, kSilent = 2, kLaws = 3, kPlot = 4, kFailed = 5;
constexpr std::size_t kLeastFirst[] = {kFailed, kRunning, kLaws, kArms, kSilent, kPlot};
constexpr std::size_t kRestFirst[] = {kRunning, kLaws, kArms, kFailed, kSilent, kPlot};

void share(std::vector<Part>& parts, std::size_t rows) {
  std::size_t left = rows;
  for (const std::size_t i : kLeastFirst) {
    const std::size_t given = std::min({parts[i].least, parts[i].lines.size(), left});
    parts[i].shown = given >= 2 ? given : 0;
    left -= parts[i].shown;
  }
  for (const std::size_t i : kRestFirst) {
    const std::size_t wanted = parts[i].lines.size() - parts[i].shown;
    const std::size_t more = parts[i].least == 0 && wanted > left ? 0 : std::min(wanted, left);
    if (parts[i].shown == 0 && more < 2) continue;  // an empty line alone
    parts[i].shown += more;
    left -= more;
  }
}

}  // namespace

WatchView watch_view(const Plan& plan, const std::vector<CellStatus>& statuses,
                     const LawGlances& laws, const std::string& now) {
  WatchView view;
  view.head = plan.name + ": " + states_text(count_states(statuses)) + "; " + now;
  view.work = present_work(plan, statuses);
  view.arms = count_arms(plan, statuses);
  view.running = running_packs(plan, statuses);
  view.laws = laws.of(statuses);
  view.failed = failed_lines(plan, statuses);
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].state != CellState::kInterrupted || !statuses[i].why.starts_with(kNoSignOfLife))
      continue;
    view.silent.push_back("  " + plan.cells[i].folder + ": " + escaped(statuses[i].why));
  }
  return view;
}

std::vector<std::string> render(const Plan& plan, const WatchView& view,
                                const std::optional<TerminalSize>& size) {
  // The screen's last column stays free.
  const int columns = size ? size->columns - 1 : kAllColumns;
  std::vector<std::string> page = wrapped(view.head, columns);
  if (std::string work = work_text(plan, view.work); !work.empty()) {
    work.pop_back();  // its line end
    for (std::string& line : wrapped(work, columns)) page.push_back(std::move(line));
  }
  std::vector<Part> parts(6);
  parts[kArms] = part(arm_lines(view.arms), 4, "arms");
  parts[kRunning] = part(running_lines(view.running, columns), 4, "rows");
  parts[kSilent] = part(view.silent, 3, "runs");
  parts[kLaws] = part(law_lines(plan, view.laws, columns), 5, "laws");
  parts[kPlot] = part(law_plot(view.laws, size ? size->columns : kColumnsOfAPage), 0, "");
  parts[kFailed] = part(view.failed, 6, "lines of them");
  const std::size_t everything = SIZE_MAX;
  const std::size_t rows = size ? static_cast<std::size_t>(std::max(1, size->rows)) : everything;
  share(parts, rows - std::min(rows, page.size()));
  for (Part& each : parts) {
    if (each.shown == 0) continue;
    for (std::string& line : shortened(std::move(each.lines), each.shown, each.things)) {
      page.push_back(std::move(line));
    }
  }
  if (page.size() > rows) page.resize(rows);
  return page;
}

}  // namespace scalelaw
