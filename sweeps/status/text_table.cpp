#include "sweeps/status/text_table.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// Behind how many bytes of `text` a line ends that holds `most` of its more.
std::size_t end_of_line(const std::string& text, std::size_t most) {
  const auto is_blank = [&](std::size_t end) { return text[end] == ' '; };
  const auto is_one_of = [](char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
  };
  const auto last = [&](const auto& is_break, std::size_t least) {
    std::size_t end = most;
    while (end > least && !is_break(end)) --end;
    return end > least ? end : 0;
  };
  const std::size_t begin = std::min(text.find_first_not_of(' '), most);
  const std::size_t least = std::max(begin, most / 4);  // that are worth a line
  const auto is_pause = [&](std::size_t end) {
    return is_blank(end) && is_one_of(text[end - 1], ";,:");
  };
  if (const std::size_t end = last(is_pause, least)) return end;
  if (const std::size_t end = last(is_blank, least)) return end;
  const auto is_part = [&](std::size_t end) { return is_one_of(text[end - 1], "-_/"); };
  if (const std::size_t end = last(is_part, least)) return end;
  const std::size_t end = last(is_blank, begin);
  return end > 0 ? end : most;
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
  columns = std::max(1, columns);
  const std::size_t own = std::min(text.find_first_not_of(' '), text.size());
  const std::string indent(std::min(own + 2, static_cast<std::size_t>(columns) / 2), ' ');
  std::vector<std::string> lines;
  std::string rest = text;
  while (width(rest) > columns) {
    const std::size_t end = end_of_line(rest, cut(rest, columns).size());
    lines.push_back(rest.substr(0, rest.find_last_not_of(' ', end - 1) + 1));
    rest = indent + rest.substr(std::min(rest.find_first_not_of(' ', end), rest.size()));
    if (rest == indent) return lines;
  }
  lines.push_back(rest);
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

bool fit_within(int columns, const std::vector<std::string>& lines) {
  return std::ranges::all_of(lines, [&](const auto& line) { return width(line) <= columns; });
}

std::vector<std::string> aligned_within(int columns, std::vector<std::vector<std::string>> rows,
                                        std::vector<bool> right, std::vector<std::size_t> dropped) {
  for (;; dropped.erase(dropped.begin())) {
    std::vector<std::string> lines = aligned(rows, right);
    if (fit_within(columns, lines) || dropped.empty()) return lines;
    const auto column = static_cast<std::ptrdiff_t>(dropped.front());
    for (auto& row : rows) row.erase(row.begin() + column);
    right.erase(right.begin() + column);
    for (std::size_t& each : dropped) each -= each > dropped.front() ? 1 : 0;
  }
}

}  // namespace scalelaw
