#include "sweeps/run_display.h"

#include <algorithm>
#include <cstdio>

#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// Columns on a terminal: continuation bytes of UTF-8 take none.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string cut(const std::string& text, int columns) {
  std::size_t bytes = 0;
  int shown = 0;
  while (bytes < text.size()) {
    if ((static_cast<unsigned char>(text[bytes]) & 0xC0) != 0x80 && ++shown > columns) break;
    ++bytes;
  }
  return text.substr(0, bytes);
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 9.95) return formatted("%.1f s", seconds);
  if (seconds < 99.5) return formatted("%.0f s", seconds);
  if (seconds < 5970) return formatted("%.0f min", seconds / 60);
  if (seconds < 356400) return formatted("%.1f h", seconds / 3600);
  return formatted("%.1f d", seconds / 86400);
}

std::string loss_text(const std::optional<double>& loss_nats) {
  return loss_nats ? formatted("%.4f", *loss_nats) : "-";
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows,
                                 const std::vector<bool>& right) {
  std::vector<std::size_t> widths(right.size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width(row[i]), ' ');
      line += right[i] ? padding + row[i] : row[i] + padding;
      if (i + 1 < row.size()) line += "  ";
    }
    line.resize(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> render(const SweepView& view) {
  std::string head = view.plan->name + ":";
  for (const auto& [state, cells] : view.states) {
    if (cells > 0) head += " " + std::to_string(cells) + " " + std::string(name(state)) + ",";
  }
  head += " " + duration_text(view.elapsed_seconds) + " so far";
  if (view.seconds_left) head += ", about " + duration_text(*view.seconds_left) + " left";
  if (view.stopping) head += "; stopping at checkpoints";
  std::vector<std::vector<std::string>> rows = {{"run", "step", "of", "loss", "tokens/s", "left"}};
  for (const RunningPack& running : view.running) {
    const CellStatus& progress = running.progress;
    const std::string others =
        running.others > 0 ? " +" + std::to_string(running.others) : std::string();
    rows.push_back({running.cell->folder + others, std::to_string(progress.step),
                    std::to_string(running.cell->steps), loss_text(progress.loss_nats),
                    progress.tokens_per_second ? human(*progress.tokens_per_second) : "-",
                    running.seconds_left ? duration_text(*running.seconds_left) : "-"});
  }
  std::vector<std::string> lines = {head};
  if (rows.size() > 1) {
    for (std::string& line : aligned(rows, {false, true, true, true, true, true})) {
      lines.push_back("  " + line);
    }
  }
  return lines;
}

void RunDisplay::clear() {
  if (drawn_ > 0) out_ << "\033[" << drawn_ << "A\r\033[J";
  drawn_ = 0;
  if (is_terminal_) out_ << std::flush;
}

void RunDisplay::close() {
  clear();
  table_.clear();
}

void RunDisplay::line(const std::string& text) {
  clear();
  out_ << text << '\n';
  for (const std::string& row : table_) out_ << row << '\n';
  drawn_ = static_cast<int>(table_.size());
  out_ << std::flush;
}

void RunDisplay::show(const SweepView& view) {
  if (!is_terminal_) return;
  std::vector<std::string> lines = render(view);
  const auto most = static_cast<std::size_t>(std::max(2, rows_ - 2));
  if (lines.size() > most) {
    const std::size_t hidden = lines.size() - most + 1;
    lines.resize(most - 1);
    lines.push_back("  and " + std::to_string(hidden) + " more");
  }
  for (std::string& line : lines) line = cut(line, std::max(20, columns_ - 1));
  clear();
  table_ = std::move(lines);
  for (const std::string& row : table_) out_ << row << '\n';
  drawn_ = static_cast<int>(table_.size());
  out_ << std::flush;
}

}  // namespace scalelaw
