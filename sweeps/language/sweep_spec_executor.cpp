// Where a sweep's file wants its runs trained. No part of any run's identity.
#include <algorithm>
#include <map>

#include "sweeps/language/sweep_spec_parts.h"
#include "trainer/nearest.h"

namespace scalelaw {
namespace {

// What other programs call them.
std::string our_name_of(const std::string& name) {
  static const std::map<std::string, std::string> names = {
      {"workers", "jobs, processes side by side"},
      {"gpus_per_worker", "jobs, processes side by side on each GPU; a process has one GPU"},
      {"walltime", "time_limit, of a run's attempt"},
      {"pack", "replicas, most runs trained side by side in a process"}};
  const auto found = names.find(name);
  return found == names.end() ? "" : found->second;
}

}  // namespace

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
      if (const std::string ours = our_name_of(name); !ours.empty()) {
        parts.fail(inner, key, "unknown key; here it is " + ours);
      }
      parts.fail(inner, key, "unknown key" + nearest_or_all(name, known));
    }
    const SourcedText text = parts.scalar(inner, key);
    if (name == "profile") executor.profile = text;
    if (name != "profile") set_executor(name, key, text, executor.settings);
  }
}

}  // namespace scalelaw
