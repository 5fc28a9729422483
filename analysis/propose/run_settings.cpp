#include "analysis/propose/run_settings.h"

#include <algorithm>
#include <stdexcept>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

constexpr std::size_t kIndent = 2, kDeepest = 8, kLongest = 1 << 16;

// A word of YAML that means itself, unquoted.
bool is_plain(std::string_view text) {
  constexpr std::string_view kNever = "#{}[]\"'&*!|>%@`,\\:";
  if (text.empty() || text.front() == ' ' || text.front() == '-' || text.front() == '?') {
    return false;
  }
  return std::ranges::all_of(text, [&](char c) {
    return c >= ' ' && c <= '~' && kNever.find(c) == std::string_view::npos;
  });
}

[[noreturn]] void refuse(const std::string& file, std::size_t line, std::string_view text) {
  throw ConfigError(escaped(file) + ", line " + std::to_string(line) + ": " + excerpt(text) +
                    ": is not `key: value` as training writes it; proposals without --out do not "
                    "need the file");
}

bool is_of_the_run_alone(const std::string& key) {
  return key == "spec" || key.starts_with("how.") || key.starts_with("seeds.");
}

}  // namespace

RunSettings parse_run_settings(std::string_view text, const std::string& file) {
  if (text.size() > kLongest)
    throw ConfigError(escaped(file) + ": is larger than a run's settings");
  RunSettings settings;
  std::vector<std::string> groups;
  std::size_t line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || indent % kIndent != 0 ||
        indent / kIndent > std::min(groups.size(), kDeepest)) {
      refuse(file, line_number, line);
    }
    groups.resize(indent / kIndent);
    const std::string_view own = line.substr(indent, colon - indent);
    const std::string_view rest = line.substr(colon + 1);
    if (!is_plain(own) || own.back() == ' ') refuse(file, line_number, line);
    std::string key;
    for (const std::string& group : groups) key += group + ".";
    key += own;
    if (rest.empty()) {
      groups.emplace_back(own);
      continue;
    }
    if (rest.front() != ' ' || !is_plain(rest.substr(1)) || rest.back() == ' ' ||
        std::ranges::find(settings, key, &RunSettings::value_type::first) != settings.end()) {
      refuse(file, line_number, line);
    }
    if (!is_of_the_run_alone(key)) settings.emplace_back(key, rest.substr(1));
  }
  return settings;
}

RunSettings read_run_settings(const RunFolder& folder) {
  std::string text;
  try {
    text = read_whole_file(folder.config());
  } catch (const std::runtime_error& error) {
    throw ConfigError(
        std::string(error.what()) +
        ": a sweep file of its like needs the run's settings; proposals without --out "
        "do not");
  }
  return parse_run_settings(text, folder.config().string());
}

}  // namespace scalelaw
