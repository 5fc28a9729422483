// Where a sweep's file wants its runs trained. No part of any run's identity.
#include <algorithm>

#include "sweeps/sweep_spec_parts.h"
#include "trainer/nearest.h"

namespace scalelaw {

void read_executor(const SpecParts& parts, const YamlTree& value, SweepExecutor& executor) {
  if (value.kind != YamlTree::Kind::kMap || value.map.empty()) {
    parts.fail(value, "executor", "must hold settings, as {profile: NAME, jobs: 2}");
  }
  static const std::vector<std::string> known = [] {
    std::vector<std::string> keys = {"profile"};
    keys.insert(keys.end(), executor_keys().begin(), executor_keys().end());
    return keys;
  }();
  for (const auto& [name, inner] : value.map) {
    const std::string key = "executor." + name;
    if (std::ranges::find(known, name) == known.end()) {
      const std::string near = nearest(name, known);
      parts.fail(inner, key,
                 "unknown key; " +
                     (near.empty() ? "there are " + joined(known) : "did you mean " + near + "?"));
    }
    const SourcedText text = parts.scalar(inner, key);
    if (name == "profile") executor.profile = text;
    if (name != "profile") set_executor(name, key, text, executor.settings);
  }
}

}  // namespace scalelaw
