// What a sweep's complete runs keep of their checkpoints. No part of any run's identity.
#include "sweeps/language/sweep_spec_parts.h"

namespace scalelaw {
namespace {

constexpr const char* kUntilComplete = "until_complete";

std::string one_of(const SpecParts& parts, const YamlTree& value, const std::string& key,
                   const std::vector<std::string>& known) {
  std::string text = parts.scalar(value, key).text;
  for (const std::string& each : known) {
    if (text == each) return text;
  }
  parts.fail(value, key, "must be one of " + joined(known));
}

}  // namespace

SweepKeep read_keep(const SpecParts& parts, const YamlTree& value) {
  const auto found = parts.members(value, "keep", {"resume_state", "weights"});
  std::string state = "always", weights = "all";
  if (const auto it = found.find("resume_state"); it != found.end()) {
    state = one_of(parts, *it->second, "keep.resume_state", {kUntilComplete, "always"});
  }
  SweepKeep keep;
  if (const auto it = found.find("weights"); it != found.end()) {
    weights = one_of(parts, *it->second, "keep.weights", {"all", "hold_out", "none"});
    if (weights != "all" && state != kUntilComplete) {
      parts.fail(*it->second, "keep.weights",
                 "needs `resume_state: until_complete` beside it: as long as training could go on "
                 "from a complete run, its weights stay too");
    }
    if (weights == "hold_out") keep.needs_hold_out = parts.scalar(*it->second, "keep.weights");
  }
  if (state != kUntilComplete) return keep;
  keep.of_held_out = weights == "none" ? KeptCheckpoint::kNone : KeptCheckpoint::kWeights;
  keep.of_others = weights == "all" ? KeptCheckpoint::kWeights : KeptCheckpoint::kNone;
  return keep;
}

void check_keep(const SweepSpec& spec) {
  if (!spec.keep.needs_hold_out || spec.hold_out) return;
  throw_config_error(*spec.keep.needs_hold_out, "keep.weights",
                     "the file holds nothing out; add `hold_out: {where: ..., register: NAME}`, or "
                     "write all or none");
}

}  // namespace scalelaw
