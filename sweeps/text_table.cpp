#include "sweeps/text_table.h"

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

}  // namespace

std::string cut(const std::string& text, int columns) {
  std::size_t bytes = 0;
  int shown = 0;
  while (bytes < text.size()) {
    if ((static_cast<unsigned char>(text[bytes]) & 0xC0) != 0x80 && ++shown > columns) break;
    ++bytes;
  }
  return text.substr(0, bytes);
}

std::vector<std::string> shortened(std::vector<std::string> lines, std::size_t most) {
  if (lines.size() <= most) return lines;
  const std::size_t hidden = lines.size() - most + 1;
  lines.resize(most - 1);
  lines.push_back("  and " + std::to_string(hidden) + " more");
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

}  // namespace scalelaw
