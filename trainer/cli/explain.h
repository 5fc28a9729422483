// `scalelaw explain`: the table of configuration keys, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trainer/config_yaml.h"

namespace scalelaw {

// A key's name: everything known of it. The beginning of names ("train", "train.optimizer"): a line
// each. Empty: a line for every key. The keys of trainer/sweep_keys.h are known as well.
// ConfigError for anything else, with the nearest name.
std::string explain(const std::vector<ConfigKey>& keys, std::string_view query);

}  // namespace scalelaw
