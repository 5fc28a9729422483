// What --val and --test of `scalelaw data build` and `import` may be.
#pragma once

#include <optional>
#include <string>

#include "trainer/data/data_set.h"

namespace scalelaw {

// Of a share ("2%", "0.02") its number; nullopt: a source of its own. ConfigError names the option
// where the number is no share.
std::optional<double> split_share(Split split, const std::string& text);

}  // namespace scalelaw
