// UTF-8 (RFC 3629): is it, and where may it be cut.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace scalelaw {

// Bytes of the well-formed character at the start of `text`, which is not empty; 0: it is none.
std::size_t character_bytes(std::string_view text);

// Offset of the first byte that is not part of well-formed UTF-8 (overlong forms, surrogates and
// values above U+10FFFF are not); text.size() when there is none.
std::size_t first_invalid_utf8(std::string_view text);

// `text`, which is UTF-8, in order and whole, in parts of at most max_bytes (>= 4): cut after the
// last line end that fits, else before the last character that does not fit.
std::vector<std::string_view> cut_at_line_ends(std::string_view text, std::size_t max_bytes);

}  // namespace scalelaw
