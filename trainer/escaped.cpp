#include "trainer/escaped.h"

#include <array>
#include <cstdio>

#include "trainer/utf8.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMostBytes = 200;

std::string hex_escape(unsigned char byte) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "\\x%02x", byte);
  return text.data();
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  std::size_t invalid = first_invalid_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool no_text = i == invalid;
    if (no_text) invalid = i + 1 + first_invalid_utf8(text.substr(i + 1));
    // U+0080 to U+009F are C2 80 to C2 9F.
    const auto after = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F || no_text) {
      out += hex_escape(c);
    } else if (c == 0xC2 && after < 0xA0) {
      out += hex_escape(c) + hex_escape(after);
      ++i;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

std::string excerpt(std::string_view text) {
  if (text.size() <= kMostBytes) return escaped(text);
  std::size_t end = kMostBytes;
  while (end > kMostBytes - 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return escaped(text.substr(0, end)) + "...";
}

}  // namespace scalelaw
