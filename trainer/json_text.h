// JSON out of files that may be damaged or foreign.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace scalelaw {

// Deeper than any of this project's files. The parser itself has no limit, but whatever walks its
// tree by recursion (a copy, a dump) would run out of stack.
inline constexpr int kMaxJsonDepth = 64;

// std::runtime_error: empty, cut short, no JSON, or nested deeper than kMaxJsonDepth.
nlohmann::json parse_json(std::string_view text);
// As parse_json; std::runtime_error too for what is no object.
nlohmann::json parse_json_object(std::string_view text);

// The start of a value as JSON, for messages.
std::string shown(const nlohmann::json& json);

// std::runtime_error unless it is written as a whole number from `least` to `most`. nlohmann's own
// get() cuts fractions off and makes anything of what does not fit.
int64_t whole_number(const nlohmann::json& json,
                     int64_t least = std::numeric_limits<int64_t>::min(),
                     int64_t most = std::numeric_limits<int64_t>::max());

}  // namespace scalelaw
