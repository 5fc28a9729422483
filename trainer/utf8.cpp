#include "trainer/utf8.h"

#include <cassert>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace scalelaw {

namespace {

// Bytes of the well-formed character at the start of `text`, 0 when it is not one (Unicode,
// table 3-7).
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if (lead < 0xE0) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (lead < 0xF0) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
  return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

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

std::string escape(uint32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  char text[16];
  std::snprintf(text, sizeof text, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
  return text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const uint32_t code =
        bytes == 0 ? static_cast<unsigned char>(text[0]) : code_point(text, bytes);
    if (bytes == 0) {
      char byte[8];
      std::snprintf(byte, sizeof byte, "\\x%02x", code);
      shown += byte;
    } else if (moves_the_cursor(code)) {
      shown += escape(code);
    } else {
      shown += text.substr(0, bytes);
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return shown;
}

std::size_t first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    uint64_t word = 0;
    if (text.size() - at >= sizeof(word)) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      if ((word & 0x8080808080808080u) == 0) {
        at += sizeof(word);
        continue;
      }
    }
    const std::size_t bytes = character_bytes(text.substr(at));
    if (bytes == 0) return at;
    at += bytes;
  }
  return at;
}

std::vector<std::string_view> cut_at_line_ends(std::string_view text, std::size_t max_bytes) {
  assert(max_bytes >= 4);
  std::vector<std::string_view> parts;
  while (text.size() > max_bytes) {
    const std::size_t line_end = text.rfind('\n', max_bytes - 1);
    std::size_t bytes = line_end == std::string_view::npos ? max_bytes : line_end + 1;
    while (is_continuation(text[bytes])) --bytes;
    parts.push_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  if (!text.empty()) parts.push_back(text);
  return parts;
}

}  // namespace scalelaw
