// The one reader of numbers in configurations and on command lines (yaml-cpp takes 1e9 for no
// integer and 010 for 8): 1e9, 20M, 2Mi, 2%, 8h, 200GB, 0.5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scalelaw {

// Decimal suffixes k M G B T P (B = G = 1e9, a billion), binary Ki Mi Gi Ti, and %. nullopt for
// anything else, for text around the number, and for what is not finite.
std::optional<double> parse_real(std::string_view text);
// As parse_real, but only values that are whole and below 2^53.
std::optional<int64_t> parse_whole(std::string_view text);
// What parse_whole reads, for messages: how it may be written is not obvious.
inline constexpr const char* kWholeNumber = "a whole number (20000, 20k, 2.5M)";
// "too large; at most ..." for a number that the readers above refuse for its size alone, so that
// it is not called something else; "" for any other text.
std::string real_limit_exceeded(std::string_view text);
std::string whole_limit_exceeded(std::string_view text);
// Seconds: 90, 90s, 15m, 8h, 2d.
std::optional<double> parse_duration(std::string_view text);
// Bytes: 200GB (1e9), 2GiB (2^30), 4096.
std::optional<int64_t> parse_bytes(std::string_view text);

// Shortest text that reads back as the same double; whole numbers without a point or exponent.
std::string canonical(double value);
// For people: 1.2M, 2.5k, 160k, 3.1e15; three significant digits at most.
std::string human(double value);

}  // namespace scalelaw
