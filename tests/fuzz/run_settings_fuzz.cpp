// A run's config.yaml, as `scalelaw propose` takes settings from it for a sweep file.
#include "analysis/propose/run_settings.h"

#include <algorithm>

#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const RunSettings settings = parse_run_settings(bytes, "fuzz.yaml");
  std::string flat;
  for (const auto& [key, value] : settings) {
    require(key != "spec" && !key.starts_with("seeds.") && !key.starts_with("how."),
            "seeds and how a run was computed are left out");
    for (const std::string& text : {key, value}) {
      require(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }) &&
                  text.find_first_of("#{}[]\"'&*!|>%@`,\\:") == std::string::npos,
              "what goes into a sweep file is a plain word of YAML");
    }
    flat += key + ": " + value + "\n";
  }
  if (flat.size() > bytes.size() * 8 || flat.size() > 1 << 16) return;  // long names of groups
  require(parse_run_settings(flat, "fuzz.yaml") == settings, "dotted keys read the same");
}

}  // namespace scalelaw
