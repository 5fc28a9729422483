// A number that may not be known, for scripts: null then.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace scalelaw {

inline nlohmann::ordered_json optional_json(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

}  // namespace scalelaw
