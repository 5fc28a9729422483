#include "trainer/flat_keys.h"

namespace scalelaw {

void KeyFlattener::add_members(const std::string& prefix, const YamlTree& map) {
  for (const auto& [name, value] : map.map) add(prefix + name, value);
}

// Maps count as well as values: two of one key with different leaves would be merged without a
// word. The same key in one map is refused before; these are a dotted key and a nested one.
void KeyFlattener::add(const std::string& key, const YamlTree& value, const char* written_as) {
  const auto [first, added] = lines_.emplace(key, value.line);
  if (!added) {
    throw_config_error(
        {value.shown(), file_, value.line}, key,
        "is set twice, first in line " + std::to_string(first->second) + "; remove one");
  }
  if (value.kind != YamlTree::Kind::kMap) {
    flat_[key] = leaf_(value, key);
    flat_[key].written_as = written_as;
  } else if (value.map.empty()) {
    flat_[key] = {kEmptyGroup, file_, value.line};
  } else {
    add_members(key + ".", value);
  }
}

}  // namespace scalelaw
