#include "analysis/number_text.h"

#include <cmath>
#include <cstdio>

namespace scalelaw {
namespace {

std::string print(const char* format, int precision, double value) {
  char text[64];
  std::snprintf(text, sizeof(text), format, precision, value);
  return text;
}

}  // namespace

std::string fixed(double value, int decimals) {
  std::string text = print("%.*f", decimals, value);
  // "-0.000" is no sign of anything.
  if (text[0] == '-' && text.find_first_of("123456789") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string signed_fixed(double value, int decimals) {
  const std::string text = fixed(value, decimals);
  return text[0] == '-' ? text : "+" + text;
}

std::string percent(double share, int decimals) {
  return fixed(100 * share, decimals) + "%";
}

std::string level_text(double level) {
  return print("%.*g", 3, 100 * level) + "%";
}

std::string scientific(double value) {
  return print("%.*e", 2, value);
}

std::string interval_text(double low, double high, int decimals) {
  return "[" + fixed(low, decimals) + ", " + fixed(high, decimals) + "]";
}

std::string p_text(double p) {
  if (std::isnan(p)) return "no result";
  return p < 0.001 ? "< 0.001" : print("%.*g", 2, p);
}

std::string duration_text(double seconds) {
  if (seconds < 90) return fixed(seconds, 0) + " s";
  if (seconds < 5400) return fixed(seconds / 60, 1) + " min";
  return fixed(seconds / 3600, 1) + " h";
}

std::string shortened(const std::string& text, std::size_t characters) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (starts_character && ++count > characters) return text.substr(0, i) + "\xe2\x80\xa6";
  }
  return text;
}

}  // namespace scalelaw
