#include "trainer/cli/store_mount.h"

#include <algorithm>
#include <sstream>
#include <string_view>

#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// The table writes a blank as \040, and so on.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(i + 1) && is_octal(i + 2) &&
        is_octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool lies_below(const fs::path& path, const fs::path& folder) {
  const auto [rest, end] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return rest == folder.end();
}

// What stands behind NAME or NAME=; nullopt without it.
std::optional<std::string> option(const std::string& options, const std::string& name) {
  std::istringstream words(options);
  for (std::string word; std::getline(words, word, ',');) {
    if (word == name) return "";
    if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
  }
  return std::nullopt;
}

}  // namespace

Mount mount_of(const fs::path& path, std::istream& mounts) {
  Mount found;
  std::size_t length = 0;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string source, place, type, options;
    if (!(words >> source >> place >> type >> options)) continue;
    place = unescaped(place);
    if (place.size() < length || !lies_below(path, place)) continue;
    length = place.size();
    found = {type, options};
  }
  return found;
}

std::optional<Finding> examine_mount(const Mount& mount) {
  constexpr double kSecondsOfStandstill = 60;  // as long as a lease is waited for
  if (!mount.type.starts_with("nfs")) return std::nullopt;
  const std::string late = "what other machines write is seen late";
  if (option(mount.options, "nocto")) {
    return Finding{"store's mount", Health::kLimited, mount.type + " with nocto: " + late,
                   "launch from one machine at a time, or mount without nocto"};
  }
  const std::optional<std::string> kept = option(mount.options, "acdirmax");
  if (kept && parse_real(*kept).value_or(0) > kSecondsOfStandstill) {
    return Finding{"store's mount", Health::kLimited,
                   mount.type + " with acdirmax=" + *kept + ": " + late,
                   "launch from one machine at a time, or mount with acdirmax=60 or less"};
  }
  return Finding{"store's mount", Health::kGood, mount.type + ", close-to-open consistent", ""};
}

}  // namespace scalelaw
