#include "trainer/utf8.h"

#include <cassert>
#include <cstdint>
#include <cstring>

namespace scalelaw {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

// Unicode, table 3-7.
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
