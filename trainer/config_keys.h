// The one table of configuration keys with access to their fields: for config_resolve.cpp,
// config_yaml.cpp and identity.cpp. Everyone else reads config_keys() of trainer/config_yaml.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/config_yaml.h"

namespace scalelaw {

struct KeyAccess {
  ConfigKey key;
  // False when `text` is not of the key's type or breaks its rule; the configuration is unchanged.
  std::function<bool(RunConfig&, const std::string& text)> set;
  std::function<std::string(const RunConfig&)> get;  // canonical text
  // "too large; at most ..." for a number beyond its reader, which `set` refuses; else "".
  std::string (*limit_exceeded)(std::string_view text) = nullptr;
};

// In the order they are written. data.test is not among them: its keys are names of data sets.
const std::vector<KeyAccess>& key_table();

inline constexpr const char* kTestPrefix = "data.test.";

}  // namespace scalelaw
