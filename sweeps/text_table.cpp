#include "sweeps/text_table.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

// Continuation bytes of UTF-8 take no column.
int width(const std::string& text) {
  return static_cast<int>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
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

std::vector<std::string> wrapped(const std::string& text, int columns) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t pause = std::min(text.find("; ", begin), text.find(", ", begin));
    const std::size_t end = std::min(pause, text.size() - 1) + 1;
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && width(line + " " + part) > columns) {
      lines.push_back(std::exchange(line, "  " + part));
    } else {
      line += (line.empty() ? "" : " ") + part;
    }
  }
  lines.push_back(line);
  return lines;
}

std::vector<std::string> shortened(std::vector<std::string> lines, std::size_t most,
                                   const std::string& things) {
  if (lines.size() <= most) return lines;
  const std::size_t hidden = lines.size() - most + 1;
  lines.resize(most - 1);
  lines.push_back("  and " + std::to_string(hidden) + " more " + things);
  return lines;
}

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

std::string optional_text(const std::optional<double>& value) {
  return value ? human(*value) : "-";
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows,
                                 const std::vector<bool>& right) {
  std::vector<int> widths(right.size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(static_cast<std::size_t>(widths[i] - width(row[i])), ' ');
      line += right[i] ? padding + row[i] : row[i] + padding;
      if (i + 1 < row.size()) line += "  ";
    }
    line.resize(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> aligned_within(int columns, std::vector<std::vector<std::string>> rows,
                                        std::vector<bool> right, std::vector<std::size_t> dropped) {
  for (;; dropped.erase(dropped.begin())) {
    std::vector<std::string> lines = aligned(rows, right);
    const bool fits =
        std::ranges::all_of(lines, [&](const auto& line) { return width(line) <= columns; });
    if (fits || dropped.empty()) return lines;
    const auto column = static_cast<std::ptrdiff_t>(dropped.front());
    for (auto& row : rows) row.erase(row.begin() + column);
    right.erase(right.begin() + column);
    for (std::size_t& each : dropped) each -= each > dropped.front() ? 1 : 0;
  }
}

}  // namespace scalelaw
