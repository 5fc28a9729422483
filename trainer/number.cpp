#include "trainer/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace scalelaw {
namespace {

constexpr double kWholeLimit = 9007199254740992.0;  // 2^53: beyond it doubles skip whole numbers

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// digits[.digits][e[+-]digits] with an optional minus, nothing else; times 10^shift. The shift is
// added to the exponent rather than multiplied, so that 2.3M is exactly 2300000. Infinite for a
// number that is too large, of either sign.
std::optional<double> decimal_magnitude(std::string_view text, int shift) {
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  const std::size_t e = text.find_first_of("eE");
  if (e == 0) return std::nullopt;
  int exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, exponent);
    if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc::result_out_of_range) exponent = digits.front() == '-' ? -999 : 999;
    exponent = std::clamp(exponent, -999, 999);
  }
  const std::string shifted =
      std::string(text.substr(0, e)) + "e" + std::to_string(exponent + shift);
  double value = 0;
  const char* end = shifted.data() + shifted.size();
  const auto [stop, error] = std::from_chars(shifted.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc()) return value;
  const bool too_large = std::fabs(std::strtod(shifted.c_str(), nullptr)) > 1;
  return too_large ? std::optional(kInfinity) : std::nullopt;
}

std::optional<double> finite(std::optional<double> value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<double> parse_decimal(std::string_view text, int shift) {
  return finite(decimal_magnitude(text, shift));
}

struct DecimalSuffix {
  char letter;
  int shift;
};
constexpr std::array<DecimalSuffix, 7> kDecimalSuffixes = {
    {{'k', 3}, {'M', 6}, {'G', 9}, {'B', 9}, {'T', 12}, {'P', 15}, {'%', -2}}};
constexpr std::string_view kBinarySuffixes = "KMGT";  // 2^10, 2^20, ...
constexpr std::string_view kTimeUnits = "smhd";
constexpr std::array<double, 4> kUnitSeconds = {1, 60, 3600, 86400};

// As parse_real; infinite for what is too large.
std::optional<double> magnitude(std::string_view text) {
  if (text.size() > 2 && text.back() == 'i') {
    const std::size_t power = kBinarySuffixes.find(text[text.size() - 2]);
    if (power == std::string_view::npos) return std::nullopt;
    const auto value = decimal_magnitude(text.substr(0, text.size() - 2), 0);
    if (!value) return std::nullopt;
    return std::ldexp(*value, 10 * (static_cast<int>(power) + 1));
  }
  for (const auto& [letter, shift] : kDecimalSuffixes) {
    if (text.ends_with(letter)) return decimal_magnitude(text.substr(0, text.size() - 1), shift);
  }
  return decimal_magnitude(text, 0);
}

}  // namespace

std::optional<double> parse_real(std::string_view text) {
  return finite(magnitude(text));
}

std::string real_limit_exceeded(std::string_view text) {
  const auto value = magnitude(text);
  return value && std::isinf(*value) ? "too large; at most 1.8e308" : "";
}

std::string whole_limit_exceeded(std::string_view text) {
  const auto value = magnitude(text);
  if (text.ends_with('%') || !value || *value < kWholeLimit) return "";
  return "too large; at most " + std::to_string(static_cast<int64_t>(kWholeLimit) - 1) +
         " (2^53 - 1)";
}

std::optional<int64_t> parse_whole(std::string_view text) {
  if (text.ends_with('%')) return std::nullopt;
  const auto value = parse_real(text);
  if (!value || *value != std::rint(*value) || std::fabs(*value) >= kWholeLimit) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*value);
}

std::optional<double> parse_duration(std::string_view text) {
  double unit_seconds = 1;
  const std::size_t unit = text.empty() ? std::string_view::npos : kTimeUnits.find(text.back());
  if (unit != std::string_view::npos) {
    unit_seconds = kUnitSeconds[unit];
    text.remove_suffix(1);
  }
  const auto value = parse_decimal(text, 0);
  if (!value || *value < 0 || !std::isfinite(*value * unit_seconds)) return std::nullopt;
  return *value * unit_seconds;
}

std::optional<int64_t> parse_bytes(std::string_view text) {
  if (text.ends_with('B')) {
    text.remove_suffix(1);
    if (text.ends_with('B')) return std::nullopt;  // not a billion bytes
  }
  const auto value = parse_whole(text);
  return value && *value >= 0 ? value : std::nullopt;
}

std::string canonical(double value) {
  if (value == 0) return "0";  // -0 too: it compares equal
  std::array<char, 64> buffer;
  if (value == std::rint(value) && std::fabs(value) < kWholeLimit) {
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<int64_t>(value));
    return std::string(buffer.data(), end.ptr);
  }
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), end.ptr);
  // "1e-08" -> "1e-8", "1e+300" -> "1e300"
  if (const std::size_t e = text.find('e'); e != std::string::npos) {
    std::size_t digits = e + 1;
    const bool negative = text[digits] == '-';
    while (text[digits] == '-' || text[digits] == '+' || text[digits] == '0') ++digits;
    text = text.substr(0, e + 1) + (negative ? "-" : "") + text.substr(digits);
  }
  return text;
}

std::string human(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.2e", value);  // rounded first: 999.9k is 1M
  const std::string_view scientific = buffer.data();
  const std::size_t e = scientific.find('e');
  const std::string_view mantissa = scientific.substr(0, e);
  const int exponent = std::atoi(buffer.data() + e + 1);
  if (exponent >= 12)
    return canonical(*parse_decimal(mantissa, 0)) + "e" + std::to_string(exponent);
  constexpr std::array<const char*, 4> kSuffixes = {"", "k", "M", "B"};
  const int thousands = exponent < 0 ? 0 : exponent / 3;
  const auto shown = parse_decimal(mantissa, exponent - 3 * thousands);
  return canonical(shown.value_or(0)) + kSuffixes[static_cast<std::size_t>(thousands)];
}

}  // namespace scalelaw
