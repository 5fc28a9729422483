#include "analysis/budget/plain_words.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

struct Unit {
  double size;
  const char* word;
};
constexpr std::array<Unit, 4> kUnits = {
    {{1e12, " trillion"}, {1e9, " billion"}, {1e6, " million"}, {1, ""}}};

double two_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1e", value);
  return std::strtod(text, nullptr);
}

const Unit& unit_of(double value) {
  for (const Unit& unit : kUnits) {
    if (value >= unit.size) return unit;
  }
  return kUnits.back();
}

// 21, 1.3, 4,000
std::string grouped(double value) {
  if (value < 10 && value != std::rint(value)) return canonical(two_digits(value));
  return in_whole_words(value);
}

std::string counted(double value, const Unit& unit) {
  return grouped(two_digits(value) / unit.size);
}

}  // namespace

std::string in_whole_words(double value) {
  std::string digits = fixed(value, 0);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string in_plain_words(double value) {
  const double rounded = two_digits(value);
  if (!(rounded < 1e18)) return human(rounded);
  const Unit& unit = unit_of(rounded);
  return counted(value, unit) + unit.word;
}

std::string range_in_words(const Interval& range) {
  const Unit& low = unit_of(two_digits(range.low));
  const Unit& high = unit_of(two_digits(range.high));
  if (low.size != high.size || !(range.high < 1e18)) {
    return in_plain_words(range.low) + " to " + in_plain_words(range.high);
  }
  return counted(range.low, low) + " to " + in_plain_words(range.high);
}

std::string about(double value, const std::string& noun, const std::optional<Interval>& band) {
  return "about " + in_plain_words(value) + " " + noun +
         (band ? " (" + range_in_words(*band) + ")" : "");
}

std::string loss_in_words(double loss, const std::optional<Interval>& band) {
  if (!band) return fixed(loss, 2);
  const int decimals = band->high - band->low < 0.02 ? 3 : 2;
  return fixed(loss, decimals) + " (" + fixed(band->low, decimals) + " to " +
         fixed(band->high, decimals) + ")";
}

// With its power of ten, whatever that is: 160B FLOPs read like a size.
std::string flops_in_words(double flops) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1e", flops);
  const std::string shown = text;
  const std::size_t e = shown.find('e');
  if (e == std::string::npos) return shown + " FLOPs";
  std::string mantissa = shown.substr(0, e);
  if (mantissa.ends_with(".0")) mantissa.resize(mantissa.size() - 2);
  return mantissa + "e" + std::to_string(std::atoi(shown.c_str() + e + 1)) + " FLOPs";
}

std::string time_in_words(double seconds) {
  struct TimeUnit {
    double seconds, from;
    const char* word;
  };
  constexpr std::array<TimeUnit, 5> units = {{{365 * 86400.0, 365 * 86400.0, "year"},
                                              {86400, 2 * 86400.0, "day"},
                                              {3600, 2 * 3600.0, "hour"},
                                              {60, 60, "minute"},
                                              {1, 1, "second"}}};
  for (const TimeUnit& unit : units) {
    if (seconds < unit.from) continue;
    // Whole days stay: 365 is no 370.
    const double exact = seconds / unit.seconds;
    const double shown = exact == std::rint(exact) && exact < 1000 ? exact : two_digits(exact);
    return grouped(shown) + " " + unit.word + (shown == 1 ? "" : "s");
  }
  return "less than a second";
}

std::string times_in_words(double factor) {
  return grouped(two_digits(factor)) + " times";
}

}  // namespace scalelaw
