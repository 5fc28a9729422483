#include "sweeps/status/sweep_view.h"

#include <algorithm>
#include <utility>

#include "sweeps/status/text_table.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kIndent = 2, kLeastOfName = 20, kHashAlone = 14;  // behind ".."

std::vector<std::string> indented(std::vector<std::string> lines) {
  for (std::string& line : lines) line.insert(0, "  ");
  return lines;
}

// Its beginning and the hash at its end, by which a run is found again.
std::string short_name(const std::string& folder, std::size_t most) {
  constexpr std::size_t kHash = 12;
  if (folder.size() <= most || most < kHash + 2) return folder;
  return folder.substr(0, most - kHash - 2) + ".." + folder.substr(folder.size() - kHash);
}

std::string pack_name(const RunningPack& pack, std::size_t most) {
  const std::string name = short_name(pack.cell->folder, most);
  return pack.others > 0 ? name + " +" + std::to_string(pack.others) : name;
}

std::string time_left(const RunningPack& pack) {
  return pack.seconds_left ? duration_text(*pack.seconds_left) : "-";
}

// What a table keeps of each, where not even that fits.
std::vector<std::string> running_sentences(const std::vector<RunningPack>& running, int columns) {
  const auto most = static_cast<std::size_t>(std::clamp(columns - 8, kHashAlone, kLeastOfName));
  std::vector<std::string> lines;
  for (const RunningPack& each : running) {
    lines.push_back("  " + pack_name(each, most) + ": step " + std::to_string(each.progress.step) +
                    " of " + std::to_string(each.cell->steps) + ", left " + time_left(each));
    if (!each.holder.empty()) lines.back() += ", " + escaped(each.holder);
  }
  return lines;
}

// Under their headings, names of at most `most` characters.
std::vector<std::vector<std::string>> running_rows(const std::vector<RunningPack>& running,
                                                   std::size_t most) {
  const bool is_held =
      std::ranges::any_of(running, [](const RunningPack& each) { return !each.holder.empty(); });
  std::vector<std::vector<std::string>> rows = {{"run", "step", "of", "loss", "tokens/s", "left"}};
  if (is_held) rows[0].push_back("held by");
  for (const RunningPack& each : running) {
    const CellStatus& progress = each.progress;
    rows.push_back({pack_name(each, most), std::to_string(progress.step),
                    std::to_string(each.cell->steps), loss_text(progress.loss_nats),
                    optional_text(progress.tokens_per_second), time_left(each)});
    if (is_held) rows.back().push_back(escaped(each.holder));
  }
  return rows;
}

}  // namespace

RunningPack running_pack(const Plan& plan, const std::vector<std::size_t>& cells,
                         const std::vector<CellStatus>& statuses) {
  RunningPack running;
  running.cell = &plan.cells[cells.front()];
  running.others = cells.size() - 1;
  running.progress = statuses[cells.front()];
  std::optional<double>& own = running.progress.tokens_per_second;
  if (own.value_or(0) <= 0) return running;
  const auto left = static_cast<double>((running.cell->steps - running.progress.step) *
                                        running.cell->config.train.batch_tokens);
  running.seconds_left = left / *own;
  *own = 0;
  for (const std::size_t cell : cells) *own += statuses[cell].tokens_per_second.value_or(0);
  return running;
}

std::vector<RunningPack> running_packs(const Plan& plan, const std::vector<CellStatus>& statuses) {
  std::vector<std::vector<std::size_t>> packs;
  std::map<std::string, std::size_t> pack_of;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].state != CellState::kRunning) continue;
    // "another process", of a lease that cannot be read, may be anyone.
    const bool is_known = statuses[i].why.starts_with("pid ");
    const auto [pack, is_new] =
        pack_of.emplace(is_known ? statuses[i].why : "cell " + std::to_string(i), packs.size());
    if (is_new) packs.emplace_back();
    packs[pack->second].push_back(i);
  }
  std::vector<RunningPack> running;
  for (const std::vector<std::size_t>& cells : packs) {
    running.push_back(running_pack(plan, cells, statuses));
    running.back().holder = statuses[cells.front()].why;
  }
  return running;
}

std::vector<ArmCounts> count_arms(const Plan& plan, const std::vector<CellStatus>& statuses) {
  std::vector<ArmCounts> arms;
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    std::vector<std::string> counted;
    for (const SweepPlace& place : plan.cells[i].places) {
      if (place.arm.empty() || std::ranges::find(counted, place.arm) != counted.end()) continue;
      counted.push_back(place.arm);
      const auto [arm, is_new] = index.emplace(place.arm, arms.size());
      if (is_new) arms.push_back({place.arm, {}});
      ++arms[arm->second].states[statuses[i].state];
    }
  }
  return arms;
}

std::string states_text(const StateCounts& states) {
  std::string text;
  for (const auto& [state, cells] : states) {
    if (cells == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(cells) + " " + std::string(name(state));
  }
  return text;
}

std::vector<std::string> running_lines(const std::vector<RunningPack>& running, int columns) {
  if (running.empty()) return {};
  const auto rows_of = [&](std::size_t most) { return running_rows(running, most); };
  std::vector<std::vector<std::string>> rows = rows_of(std::string::npos);
  const std::vector<bool> right = {false, true, true, true, true, true, false};
  int widest = 0, longest = 0;
  for (const std::string& line : aligned(rows, right)) widest = std::max(widest, width(line));
  for (const RunningPack& each : running) longest = std::max(longest, width(each.cell->folder));
  const int over = widest - (columns - kIndent);
  if (over > 0) rows = rows_of(static_cast<std::size_t>(std::max(kLeastOfName, longest - over)));
  constexpr std::size_t kOf = 2, kLoss = 3, kRate = 4;
  const std::vector<std::string> lines =
      aligned_within(columns - kIndent, rows, right, {kRate, kLoss, kOf});
  return fit_within(columns - kIndent, lines) ? indented(lines)
                                              : running_sentences(running, columns);
}

std::vector<std::string> arm_lines(const std::vector<ArmCounts>& arms, int columns) {
  if (arms.empty()) return {};
  std::vector<CellState> occurring;
  for (const CellState state : kCellStates) {
    if (std::ranges::any_of(arms, [&](const ArmCounts& arm) { return arm.states.contains(state); }))
      occurring.push_back(state);
  }
  std::vector<std::vector<std::string>> rows = {{"arm"}};
  for (const CellState state : occurring) rows[0].emplace_back(name(state));
  for (const ArmCounts& arm : arms) {
    std::vector<std::string> row = {arm.arm};
    for (const CellState state : occurring) {
      const auto count = arm.states.find(state);
      row.push_back(count == arm.states.end() ? "-" : std::to_string(count->second));
    }
    rows.push_back(std::move(row));
  }
  std::vector<bool> right(rows[0].size(), true);
  right[0] = false;
  std::vector<std::string> lines = aligned(rows, right);
  if (fit_within(columns - kIndent, lines)) return indented(lines);
  lines.clear();
  for (const ArmCounts& arm : arms) lines.push_back(arm.arm + ": " + states_text(arm.states));
  return indented(lines);
}

std::vector<std::string> render(const SweepView& view) {
  std::string head = view.plan->name + ": ";
  if (const std::string states = states_text(view.states); !states.empty()) head += states + ", ";
  head += duration_text(view.elapsed_seconds) + " so far";
  if (view.seconds_left) head += ", about " + duration_text(*view.seconds_left) + " left";
  if (view.stopping) head += "; stopping at checkpoints";
  std::vector<std::string> lines = running_lines(view.running, kAllColumns);
  lines.insert(lines.begin(), head);
  return lines;
}

}  // namespace scalelaw
