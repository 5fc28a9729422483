#include "sweeps/status/watch_frame.h"

#include <algorithm>
#include <utility>

#include "sweeps/status/cell_watch.h"
#include "sweeps/status/failed_runs.h"
#include "sweeps/status/text_table.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

constexpr int kColumnsOfAPage = 100;  // of the plot where there is no terminal
constexpr std::size_t kLeastOfFailed = 4;

// A part of the page: its heading, an empty line first, and what it lists.
struct Part {
  std::vector<std::string> heading;
  std::vector<std::vector<std::string>> entries;  // of a line or more each
  std::size_t least = 0;    // lines, that others leave to it; 0: it is shown whole or not at all
  std::string things = {};  // that the entries are
  std::size_t shown = 0;    // lines
};

std::size_t lines_of(const Part& part) {
  std::size_t lines = part.heading.size();
  for (const auto& entry : part.entries) lines += entry.size();
  return lines;
}

// Of `lines` the last `listed` are entries, of which `least` stay where others need the room.
Part part(const std::vector<std::string>& lines, std::size_t listed, int columns, std::size_t least,
          std::string things) {
  Part part;
  if (lines.empty()) return part;
  part.things = std::move(things);
  part.heading.emplace_back();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::string> entry = wrapped(lines[i], columns);
    if (i + listed < lines.size()) {
      part.heading.insert(part.heading.end(), entry.begin(), entry.end());
    } else {
      part.entries.push_back(std::move(entry));
    }
  }
  for (std::size_t i = 0; i < std::min(least, part.entries.size()); ++i) {
    part.least += part.entries[i].size();
  }
  part.least += least > 0 ? part.heading.size() : 0;
  return part;
}

// Of failed_lines(), which may be cut short within a run: of the first its reason whole.
Part failed_part(const std::vector<std::string>& failed, int columns) {
  std::vector<std::string> lines;
  std::size_t least = kLeastOfFailed;
  for (std::size_t i = 0; i < failed.size(); ++i) {
    const std::vector<std::string> entry =
        i == 0 ? std::vector{failed[0]} : wrapped(failed[i], columns);
    lines.insert(lines.end(), entry.begin(), entry.end());
    if (i == 1) least = std::max(least, entry.size() + 1);
  }
  return part(lines, lines.empty() ? 0 : lines.size() - 1, columns, least, "lines of them");
}

// As many lines of it as are to be shown, the last of which count what is left out.
std::vector<std::string> shown_lines(const Part& part, int columns) {
  const auto count = [&](std::size_t hidden) {
    return wrapped("  and " + std::to_string(hidden) + " more " + part.things, columns);
  };
  const bool is_whole = lines_of(part) <= part.shown;
  const std::size_t last = is_whole ? 0 : count(part.entries.size()).size();
  std::vector<std::string> lines = part.heading;
  std::size_t entries = 0;
  for (; entries < part.entries.size(); ++entries) {
    const std::vector<std::string>& entry = part.entries[entries];
    if (lines.size() + entry.size() + last > part.shown) break;
    lines.insert(lines.end(), entry.begin(), entry.end());
  }
  if (is_whole) return lines;
  lines.resize(std::min(lines.size(), part.shown - std::min(last, part.shown)));
  for (std::string& line : count(part.entries.size() - entries)) lines.push_back(std::move(line));
  lines.resize(std::min(lines.size(), part.shown));
  return lines;
}

// Parts in the order in which they get their least, and in which they get what is left.
constexpr std::size_t kArms = 0, kRunning = 1, kSilent = 2, kLaws = 3, kPlot = 4, kFailed = 5;
constexpr std::size_t kLeastFirst[] = {kFailed, kRunning, kLaws, kArms, kSilent, kPlot};
constexpr std::size_t kRestFirst[] = {kRunning, kLaws, kArms, kFailed, kSilent, kPlot};

void share(std::vector<Part>& parts, std::size_t rows) {
  // One long reason would leave no room for the laws.
  parts[kFailed].least = std::min(parts[kFailed].least, std::max(kLeastOfFailed + 2, rows / 3));
  std::size_t left = rows;
  for (const std::size_t i : kLeastFirst) {
    const std::size_t given = std::min(parts[i].least, left);
    parts[i].shown = given >= 2 ? given : 0;
    left -= parts[i].shown;
  }
  for (const std::size_t i : kRestFirst) {
    const std::size_t wanted = lines_of(parts[i]) - parts[i].shown;
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
  parts[kArms] = part(arm_lines(view.arms, columns), view.arms.size(), columns, 2, "arms");
  parts[kRunning] =
      part(running_lines(view.running, columns), view.running.size(), columns, 2, "rows");
  parts[kSilent] = part(view.silent, view.silent.size(), columns, 2, "runs");
  parts[kLaws] = part(law_lines(plan, view.laws, columns), view.laws.size(), columns, 2, "laws");
  const auto plot = law_plot(view.laws, size ? size->columns : kColumnsOfAPage);
  parts[kPlot] = part(plot, plot.size(), columns, 0, "");
  parts[kFailed] = failed_part(view.failed, columns);
  const std::size_t everything = SIZE_MAX;
  const std::size_t rows = size ? static_cast<std::size_t>(std::max(1, size->rows)) : everything;
  share(parts, rows - std::min(rows, page.size()));
  for (const Part& each : parts) {
    if (each.shown == 0) continue;
    for (std::string& line : shown_lines(each, columns)) {
      page.push_back(std::move(line));
    }
  }
  if (page.size() > rows) page.resize(rows);
  return page;
}

}  // namespace scalelaw
