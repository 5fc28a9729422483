#include "sweeps/language/override_keys.h"

#include <algorithm>

#include "sweeps/language/cell_expressions.h"
#include "trainer/flat_keys.h"

namespace scalelaw {
namespace {

void make_room_for_size(const std::set<std::string>& keys, FlatConfig& config) {
  if (keys.contains("ladder.n") && !keys.contains("model.d_model")) config.erase("model.d_model");
}

}  // namespace

std::set<std::string> keys_of(const FlatConfig& config) {
  std::set<std::string> keys;
  for (const auto& [key, value] : config) keys.insert(key);
  return keys;
}

void override_key(const std::string& key, const SourcedText& value, FlatConfig& config) {
  if (value.text == kEmptyGroup) {
    const std::string members = key + ".";
    auto member = config.lower_bound(members);
    while (member != config.end() && member->first.starts_with(members)) {
      member = config.erase(member);
    }
  }
  for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
    const auto group = config.find(key.substr(0, dot));
    if (group != config.end() && group->second.text == kEmptyGroup) config.erase(group);
  }
  config.insert_or_assign(key, value);
}

void override_keys(const FlatConfig& overrides, FlatConfig& config) {
  make_room(keys_of(overrides), config);
  for (const auto& [key, value] : overrides) override_key(key, value, config);
}

void make_room_for_horizon(const std::set<std::string>& keys, FlatConfig& config) {
  const auto sets = [&](const std::string& form) { return keys.contains(form); };
  if (std::ranges::none_of(horizon_forms(), sets)) return;
  for (const std::string& form : horizon_forms()) {
    if (!keys.contains(form) && config.erase(form) > 0) config.erase("horizon.count");
  }
}

void make_room(const std::set<std::string>& keys, FlatConfig& config) {
  make_room_for_horizon(keys, config);
  make_room_for_size(keys, config);
}

}  // namespace scalelaw
