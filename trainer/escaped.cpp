#include "trainer/escaped.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "trainer/utf8.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMostBytes = 200;

// Of a whole character of `bytes` bytes.
uint32_t code_point(std::string_view text, std::size_t bytes) {
  constexpr uint32_t kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  uint32_t code = static_cast<unsigned char>(text[0]) & kLeadBits[bytes];
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6 | (text[i] & 0x3Fu);
  return code;
}

bool moves_the_cursor(uint32_t code) {
  const auto within = [&](uint32_t low, uint32_t high) { return code >= low && code <= high; };
  return code < 0x20 || within(0x7F, 0x9F) || code == 0x61C || within(0x200E, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2066, 0x2069);
}

std::string escape_of(uint32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  char text[16];
  std::snprintf(text, sizeof text, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
  return text;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (bytes == 0) {
      char byte[8];
      std::snprintf(byte, sizeof byte, "\\x%02x", static_cast<unsigned char>(text[0]));
      shown += byte;
      text.remove_prefix(1);
      continue;
    }
    const uint32_t code = code_point(text, bytes);
    if (moves_the_cursor(code)) {
      shown += escape_of(code);
    } else {
      shown += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return shown;
}

std::string escaped_lines(std::string_view text) {
  std::string shown;
  while (true) {
    const std::size_t end = text.find_first_of("\n\t");
    shown += escaped(text.substr(0, end));
    if (end == std::string_view::npos) return shown;
    shown += text[end];
    text.remove_prefix(end + 1);
  }
}

std::string excerpt(std::string_view text) {
  if (text.size() <= kMostBytes) return escaped(text);
  std::size_t end = kMostBytes;
  while (end > kMostBytes - 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return escaped(text.substr(0, end)) + "...";
}

}  // namespace scalelaw
